"""What the business does, in plain words, each with its ANZSIC 2006 class or division.

The rule: a label is what somebody would say of their own business; the code is a guess that a person may correct.
"""

from typing import Final

# Value in the form, words, ANZSIC 2006 class or division letter.
INDUSTRIES: Final[tuple[tuple[str, str, str], ...]] = (
    ("cafe", "Café, restaurant or takeaway", "4511"),
    ("pub", "Pub, bar or accommodation", "4520"),
    ("food_retail", "Grocery, bakery or other food shop", "4110"),
    ("clothing", "Clothing, shoes or accessories shop", "4251"),
    ("household", "Furniture, homewares or electronics shop", "4211"),
    ("hardware", "Hardware, building or garden supplies", "4231"),
    ("online", "Online shop or other retail", "4310"),
    ("wholesale", "Wholesale or import", "3739"),
    ("food_making", "Making food or drinks", "1199"),
    ("making", "Making other things", "2599"),
    ("house_building", "House building or renovation", "3011"),
    ("trades", "Electrician, plumber, painter or other trade", "3299"),
    ("civil", "Civil or commercial construction", "3109"),
    ("transport", "Road transport, couriers or storage", "4610"),
    ("motor", "Car repairs, parts or sales", "9419"),
    ("farming", "Farming, fishing or forestry", "A"),
    ("cleaning", "Cleaning, gardening or building services", "7311"),
    ("labour", "Labour hire, travel or office support", "7212"),
    ("professional", "Accounting, law, design or consulting", "6999"),
    ("technology", "Software, web or IT services", "7000"),
    ("media", "Publishing, film or telecommunications", "5700"),
    ("property", "Real estate, rental or hire", "6720"),
    ("health", "Health, dental, aged or child care", "8599"),
    ("education", "Training or education", "8219"),
    ("beauty", "Hair, beauty or laundry", "9511"),
    ("arts", "Sport, arts or recreation", "9113"),
    ("finance", "Finance or insurance", "6419"),
    ("mining", "Mining or quarrying", "1090"),
    ("other", "Something else", "S"),
)
ANZSIC: Final[dict[str, str]] = {value: code for value, _, code in INDUSTRIES}
WORDS: Final[dict[str, str]] = {value: words for value, words, _ in INDUSTRIES}
