from django.apps import AppConfig


class Config(AppConfig):
    name = "allswell.reporting"
    label = "reporting"
