from django.apps import AppConfig


class Config(AppConfig):
    name = "allswell.jobs"
    label = "jobs"
