from django.apps import AppConfig


class Config(AppConfig):
    name = "allswell.oncall"
    label = "oncall"
