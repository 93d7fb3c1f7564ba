"""Accept sealed applications: check the request, store the receipt, publish `application.received`."""
