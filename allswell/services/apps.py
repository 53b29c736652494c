from django.apps import AppConfig


class Config(AppConfig):
    name = "allswell.services"
    label = "services"
