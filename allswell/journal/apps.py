from django.apps import AppConfig


class Config(AppConfig):
    name = "allswell.journal"
    label = "journal"
