"""What providers say of emails after they took them: bounces, complaints, deliveries."""
