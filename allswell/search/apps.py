from django.apps import AppConfig


class Config(AppConfig):
    name = "allswell.search"
    label = "search"
