"""What every service needs and no service owns: contracts, messaging, storage, the campaign file, the web shell."""
