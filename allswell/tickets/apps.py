from django.apps import AppConfig


class Config(AppConfig):
    name = "allswell.tickets"
    label = "tickets"
