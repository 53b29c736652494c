from django.apps import AppConfig


class Config(AppConfig):
    name = "allswell.calendars"
    label = "calendars"
