"""Reading the numbers of reports. Everything starts from what the viewer sees at the desk."""
