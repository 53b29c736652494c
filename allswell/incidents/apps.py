from django.apps import AppConfig


class Config(AppConfig):
    name = "allswell.incidents"
    label = "incidents"
