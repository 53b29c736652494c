"""Mails that only say thank you: they do not reopen what is done."""

from __future__ import annotations

import re


def _words(said: str) -> frozenset[str]:
    return frozenset(said.split())


_WORD = re.compile(r"[^\W\d_]+(?:['’][^\W\d_]+)*")
_THANKS = _words(
    """thanks thank thx ty tx cheers tysm thankyou appreciated appreciate danke dank dankeschön dankbar merci mille gracias
    agradecido agradecida grazie bedankt dankjewel dankuwel dziękuję dziękujemy dzięki dziekuje obrigado obrigada tack tak
    takk kiitos děkuji díky спасибо благодарю"""
)
_KIND = _words(
    """a all again am and as awesome best brilliant can close closed do everyone everything excellent fast fine for from good got
    great guys happy have help helped helping hello hey hi i is it its it's i've job kind kindly lot lots many massively me
    much nice now of ok okay on our perfect perfectly prompt quick quickly reply resolving response so solving sorting speedy
    super support sure swift team that that's the this ticket time to today top up very we well wonderful work worked working
    works you your yours alle alles aufwand bestens bei das dass den der die diese dieses eine es euch euer für ganz geht gut
    habe haben herzlich herzlichen hilfe hat hallo ich ihnen ihr ihre ist jetzt klappt lieben lösung mal mir nun perfekt
    prima prompte rasche schnell schnelle schnellen schon sehr sie toll tolle uns unterstützung und vielen vielmals von
    wieder wir wunderbar zu zur funktioniert rückmeldung antwort passt aide avec beaucoup bien bonjour bonne ça c'est cela et
    fonctionne il infiniment je l'aide la le les marche monsieur madame moi nous parfait parfaitement pour rapide rapidement
    réponse tout tous toute un une votre vos vous génial de ayuda buenas buenos con días el ella en está excelente funciona
    las los muchas muchísimas muy por perfecto rápida respuesta su tardes todo tu una ya y genial hola aiuto buongiorno ciao
    del della di e funziona gentile gentilissimi in l'aiuto molte per risposta tante tutto vostro veloce ottimo alvast deze
    dat een erg fijn geregeld goed goede hartelijk hartstikke heel het hulp jou jullie met nu reactie snelle u uw van veel
    voor werkt hoi bardzo dobrze działa odpowiedź pomoc szybką szybko szybka serdecznie ślicznie wszystko za ajuda bem boa
    bom dia muito pela pelo perfeito resposta tarde tudo olá allt bra det för fungerar hjälpen mycket snabb snabba så svaret
    alt fungerer hjælpen hjelpen hurtig hurtige mange meget nå svar tusen tusind virker avusta paljon toimii nyt с помощь
    большое всё все работает быстро огромное"""
)
_SMALL_TALK = _words(
    """regards wishes sincerely grüße grüßen gruß gruss mfg lg vg cordialement saludos saluti groet groeten pozdrawiam cumprimentos
    hälsningar mvh hilsen freundliche freundlichen vriendelijke viele warm dear"""
)
_TROUBLE = _words("problem problems issue issues fehler störung problème problema probleem")
_SOLVED = _words(
    """solved resolved fixed gone sorted gelöst behoben erledigt résolu réglé resuelto solucionado risolto opgelost verholpen
    rozwiązane resolvido löst løst"""
)
_AGAINST = _words(
    """no not never nothing but still nicht kein keine nein aber noch pas non mais encore pero todavía ma ancora niet geen maar nog
    nie ale jeszcze não mas ainda inte ikke men don't doesn't isn't didn't won't can't cannot"""
)
_KNOWN = _THANKS | _KIND | _SMALL_TALK | _TROUBLE | _SOLVED
_LONGEST, _MOST_WORDS, _MOST_STRANGE = 600, 30, 3


def is_thanks_only(said: str) -> bool:
    """Whether a text (the visible part of a mail) thanks and says nothing else. In doubt it says something else.

    Up to three capitalized words that nobody knows pass as names.
    """
    if "?" in said or len(said) > _LONGEST or any(character.isdigit() for character in said):
        return False
    found = [word.replace("’", "'") for word in _WORD.findall(said)]
    words = [word.lower() for word in found]
    if len(found) > _MOST_WORDS or _THANKS.isdisjoint(words) or not _AGAINST.isdisjoint(words):
        return False
    if not _TROUBLE.isdisjoint(words) and _SOLVED.isdisjoint(words):
        return False
    strange = [word for word, low in zip(found, words, strict=True) if low not in _KNOWN]
    return len(strange) <= _MOST_STRANGE and all(word[0].isupper() for word in strange)
