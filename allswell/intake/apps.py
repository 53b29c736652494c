from django.apps import AppConfig


class Config(AppConfig):
    name = "allswell.intake"
    label = "intake"
