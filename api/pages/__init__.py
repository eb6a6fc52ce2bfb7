"""What the pages of every face share: headers, replies, files under addresses that name their bytes, and forms.

The rule it keeps: nothing of a page is kept by a browser or a proxy, framed, or told to another site; nothing inline
runs, and nothing comes from another host.
"""
