from django.apps import AppConfig


class Config(AppConfig):
    name = "allswell.notifications"
    label = "notifications"
