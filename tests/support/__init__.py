"""What several tests share: named businesses, a small release, a PostgreSQL of their own."""
