from django.apps import AppConfig


class Config(AppConfig):
    name = "allswell.sla"
    label = "sla"
