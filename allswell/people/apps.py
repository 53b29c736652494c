from django.apps import AppConfig


class Config(AppConfig):
    name = "allswell.people"
    label = "people"
