"""What people and their programs write in mails, in the languages of Europe: said once here, for all who look for it."""

from __future__ import annotations

import re

_I = re.IGNORECASE

#: the end of "On …, … wrote:"; only the last characters of a line are looked at
WROTE_END = re.compile(
    r"(?:wrote|writes|sent|schrieb|schreef|geschreven|écrit|ecrit|escribió|escribi[oó]|ha scritto|scrisse|napisał\(a\)"
    r"|napisała?|pisze"
    r"|escreveu|skrev|kirjoitti|написал\(?а?\)?|пишет|píše|napsal\(?a?\)?|geschreven het volgende)"
    r"[^:\n]{0,40}[:：]?-{0,10}\s*$|<[^<>\s]{3,100}@[^<>\s]{3,100}>[ ]?:\s*$",
    _I,
)
#: "schrieb Name <address>:" and "schreef Name": the verb before the name
WROTE_INSIDE = re.compile(
    r"^(?:Am|Op|Den|El|Le|Il|Em|W dniu|Dnia)\b.{3,200}\b(?:schrieb|schreef|skrev|escribió|a écrit|ha scritto|escreveu|pisze"
    r"|napisał)\b.{2,200}:\s*$",
    _I,
)
WROTE_START = re.compile(
    r"(?:-{2,12} ?)?(?:(?:On|Am|Le|El|Il|Op|Em|No dia|Den|På|W dniu|Dnia|Il giorno|El día|Dne|Vào)\b[ \u00a0].{0,25}?\d|"
    r"On (?:Mon|Tue|Wed|Thu|Fri|Sat|Sun)|\d{4}[-/.]\d{1,2}[-/.]\d{1,2}\b|\d{1,2}[./]\d{1,2}[./]\d{2,4},? )",
    _I,
)
#: a line that ends so, and names somebody with a date or an address, needs no "On" at its start
WROTE_WHO = re.compile(r"@[\w.-]+>?|\d{1,2}:\d\d")
DATE_WHO = re.compile(r"\d{4}[-/.]\d{1,2}[-/.]\d{1,2}\b.{1,150}<[^<>]{3,150}@[^<>]{3,150}>:?", _I)

ORIGINAL_MARK = re.compile(
    r"[>*| ]*[-_=]{3,} ?(?:Original[ -]?Message|Reply Message|Ursprüngliche (?:Nachricht|Mail|E-Mail)|Original-?Nachricht"
    r"|Antwort Nachricht"
    r"|Message d['’]origine|Message original|Mensaje original|Messaggio originale|Oorspronkelijk bericht|Oprindelig meddelelse"
    r"|Ursprungligt meddelande|Opprinnelig melding|Alkuperäinen viesti|Wiadomość oryginalna|Oryginalna wiadomość"
    r"|Mensagem original"
    r"|Исходное сообщение|Původní zpráva|原始邮件|原始郵件) ?[-_=]{0,40}",
    _I,
)
FORWARD_MARK = re.compile(
    r"[>*| ]*(?:[-_=]{3,} ?(?:Forwarded message|Weitergeleitete (?:Nachricht|Mail)|Message transféré|Message transmis"
    r"|Mensaje reenviado"
    r"|Messaggio (?:inoltrato|Inoltrato)|Doorgestuurd bericht|Przekazana wiadomość|Wiadomość przekazana"
    r"|Treść przekazanej wiadomości"
    r"|Mensagem encaminhada|Mensagem reencaminhada|Vidarebefordrat meddelande|Videresendt (?:meddelelse|melding)"
    r"|Välitetty viesti"
    r"|Пересылаемое сообщение|Přeposlaná zpráva)\b"
    r"|(?:Begin forwarded message|Anfang der weitergeleiteten Nachricht|Début du message (?:réexpédié|transféré)"
    r"|Inicio del mensaje reenviado|Inizio messaggio inoltrato|Begin doorgestuurd bericht"
    r"|Início da mensagem (?:reencaminhada|encaminhada)"
    r"|Vidarebefordrat brev|Początek przekazywanej wiadomości|Forwarded by me)\s*:)",
    _I,
)
FORWARD_SUBJECT = re.compile(r"(?:fwd?|wg|tr|rv|i|doorst|pd|enc|vb|vs|videresendt|fs|вн|переслано)\s?:", _I)
ANSWER_SUBJECT = re.compile(
    r"\A\s*(?:(?:re|aw|antw?|sv|rép|res?p?|odp|vs|rif|r|ynt|отв|回复|答复)(?:\[\d{1,3}\]|\(\d{1,3}\))?\s?[:：]\s*)+", _I
)

_LABELS = {
    "from": "from von de da van od från fra lähettäjä от отправитель expéditeur remitente mittente afzender absender 发件人 寄件者",
    "date": "sent date gesendet datum envoyé date enviado fecha inviato data verzonden wysłano wysłane skickat sendt lähetetty дата"
    " отправлено 发送时间 日期 odesláno enviada el enviado em",
    "to": "to an à a para aan do till til komu кому 收件人 vastaanottaja",
    "cc": "cc kopie copie bcc dw kopia kopi копия 抄送 reply-to",
    "subject": "subject betreff objet asunto oggetto onderwerp temat assunto ämne emne aihe тема předmět 主题 主旨",
}
_LABEL = {word: label for label, said in _LABELS.items() for word in said.split()} | {"enviada el": "date", "enviado em": "date"}
_COLON = re.compile(r"([^\W\d_][\w' -]{0,18}?)\*{0,2}[ \u00a0]{0,2}[:：]\*{0,2}(?:\s|$|=|\*)")


def label_of(line: str) -> str:
    """Which field of a quoted mail's head a line is: "from", "date", "to", "cc", "subject" or ""."""
    found = _COLON.match(line[:40])
    return _LABEL.get(found.group(1).strip().lower(), "") if found else ""


SENT_FROM = re.compile(
    r"[\"'*_(<\[]{0,2}(?:Sent (?:from|via|with|using) (?:my |a |the )?+(?!desk\b|home\b|work\b)[\w\u2019']|Get Outlook for"
    r"|Sent by |Envoyé (?:de|depuis) |Télécharger Outlook"
    r"|(?:Von meinem|Gesendet (?:von|mit)|Diese Nachricht wurde von meinem) |Holen Sie sich Outlook|Enviado (?:desde|do"
    r"|a partir|de) |Obtener Outlook"
    r"|Inviato (?:da|dal) |Scarica Outlook|Verzonden (?:vanaf|met|van) |Wysłan[eo] z |Skickat från |Sendt fra |Lähetetty "
    r"|Отправлено (?:с|из) |Outlook für ).{0,120}$",
    _I,
)
SIGN_OFF = re.compile(
    r"(?:(?:kind|best|warm|many|with (?:kind|best))\s?(?:regards|wishes|thanks)|regards|best|cheers|sincerely(?: yours)?"
    r"|yours(?: sincerely| faithfully| truly)?"
    r"|many thanks|thanks|thank you|thx|br|rgds|kr|take care|(?:mit )?(?:freundlichen|besten|vielen|lieben|herzlichen"
    r"|schönen) grü(?:ß|ss)en?"
    r"|(?:freundliche|beste|viele|liebe|herzliche|schöne|vg|lg) ?(?:grü(?:ß|ss)e)?|mfg|vg|lg|gruß|gruss|grüße"
    r"|danke(?: und .{2,20})?|vielen dank"
    r"|(?:bien )?(?:cordialement|amicalement)|bien à (?:vous|toi)|(?:meilleures|sincères) salutations"
    r"|salutations(?: distinguées)?|merci(?: d['’]avance)?|à bientôt"
    r"|(?:un )?(?:cordial )?saludos?(?: cordial(?:es)?)?|atentamente|atte|gracias|(?:cordiali|distinti) saluti|saluti"
    r"|grazie|a presto"
    r"|(?:met )?vriendelijke groet(?:en)?|(?:hartelijke )?groet(?:en|jes)?|mvg|bedankt|z poważaniem"
    r"|pozdrawiam(?: serdecznie)?|pozdrowienia|dziękuję|dzięki"
    r"|(?:com os melhores )?cumprimentos|(?:um )?abraço|atenciosamente|att|obrigad[oa]|(?:med )?(?:vänliga"
    r"|vänlig) h[äa]ls(?:ningar?|n)|hälsningar|mvh|tack"
    r"|(?:med )?venlig hilsen|(?:med )?vennlig hilsen|hilsen|tak|ystävällisin terveisin|terveisin|с уважением"
    r"|s pozdravem)\s?[,.!]?(?: (?:from|aus|de) .{2,20})?",
    _I,
)
DISCLAIMER = re.compile(
    r"(?:confidential(?:ity)? ?notice|disclaimer|this (?:e-?mail|message|communication)[\w ,()]{0,60}(?:confidential"
    r"|intended|privileged)"
    r"|the information (?:contained )?in this (?:e-?mail|message)|please consider the environment|diese (?:e-?mail"
    r"|nachricht) (?:enthält|ist|kann)"
    r"|der inhalt dieser e-?mail|ce (?:message|courriel|mail) (?:et|est|contient|peut)|este (?:mensaje|correo|e-?mail) (?:y"
    r"|es|contiene|puede)"
    r"|questo messaggio|questa e-?mail|dit (?:bericht|e-?mailbericht)|deze e-?mail|niniejsza wiadomość|esta mensagem (?:e"
    r"|pode|é|contém)"
    r"|you received this message because|you are receiving this because|to unsubscribe from this)",
    _I,
)

#: where a bounce begins to show the mail it is about
SHOWN = re.compile(
    r"^.{0,30}(?:original message|copy of (?:the|your) (?:original )?message|returned message|unsent message"
    r"|bounced e-?mail|message follows"
    r"|below this line is a copy|this is a copy of|message header|original mail|ursprüngliche nachricht"
    r"|message d['’]origine|original content"
    r"|header of the original|исходно\w+ сообщени\w+).{0,60}$|^Received: (?:from|by) ",
    _I | re.MULTILINE,
)
DELAYED = re.compile(
    r"delayed|warning: could not send|still being retried|delivery is delayed|will (?:continue to )?(?:be retried|retry"
    r"|keep trying)|has not (?:yet )?been delivered"
    r"|you do not need to resend|temporar(?:y|ily) (?:failure|delayed)|verzögert|retardé|retrasad|in ritardo",
    _I,
)
GIVEN_UP = re.compile(r"permanent|given up|giving up|gave up|could not be delivered|cannot send message for", _I)
FULL = re.compile(
    r"mailbox (?:is |was )?(?:full|over|exceeded)|quota|over ?limit|full mailbox|exceeded (?:the )?(?:local|storage) limit"
    r"|postfach (?:ist )?voll|メールボックスが一杯",
    _I,
)
DAEMON = re.compile(
    r"mailer-?daemon|post[_-]?master|mail delivery (?:sub)?s[yu]s?tem|mail ?delivery ?(?:system|service|subsystem)|mdaemon"
    r"|deliver(?:y|ies)-?(?:daemon|status)"
    r"|^bounce[sd]?[@+-]|microsoft ?exchange329|mail ?administrator|ndr ?administrator|system ?administrator|mail-?system\b",
    _I,
)
MACHINE = re.compile(
    r"^(?:no|not|do-?not)[._-]?(?:reply|answer|respond|responder)|^(?:noreply|nepasrepondre|nicht-antworten|keine-?antwort)"
    r"|^auto(?:mat|reply|respond)",
    _I,
)
BOUNCE_SUBJECT = re.compile(
    r"^(?:\W{0,4}(?:postmaster|warning)\W{0,4})?(?:undeliver(?:able|ed)|un-?delivered|returned (?:mail|to sender)"
    r"|delivery (?:status|failure|failed|notification|has failed|report|error|problem)"
    r"|mail (?:delivery|system|failure|could not)|(?:message|email|e-mail) (?:delivery|undeliverable|could not be delivered"
    r"|bounce)|failure notice|failed (?:mail|delivery|message)"
    r"|non[- ]?deliver|notice: mail delivery|could not (?:be delivered|send)|there was an error sending|nondeliverable"
    r"|bounce|message you sent (?:blocked|was blocked)"
    r"|unzustellbar|nicht zustellbar|nachricht nicht zugestellt|zustell(?:ung|fehler)|non (?:remis|distribu)"
    r"|échec de (?:la )?(?:remise|livraison|distribution)|notification d['’]état"
    r"|no se (?:puede|pudo|ha podido) entregar|no entregad|mensaje no entregado|devuelto|correo devuelto|mancata consegna"
    r"|impossibile recapitare|non recapitabil|onbestelbaar|niet bezorgd"
    r"|niedostarcz|nie (?:można dostarczyć|dostarczono)|zwrot|não (?:foi )?(?:entregue|entregável)|falha na entrega"
    r"|kan inte levereras|oleverer|ikke leveret|kunne ikke leveres|toimittamaton"
    r"|(?:ваше )?сообщение не доставлено|недоставленное|メールエラー|メールを配信|配信(?:不能|エラー|できません)|送信エラー|退信|系统退信)"
    r"|mail error|undeliverable|blocked by our bulk e-?mail filter|returned mail|delivery fail|配信できません",
    _I,
)
BOUNCE_BODY = re.compile(
    r"(?:could not|couldn['’]t|can ?not|cannot|unable to|not|wasn['’]t able to|failed to|trouble"
    r"|error occurred while (?:attempting|trying) to) (?:be )?deliver(?:ed|ing)?\b"
    r"|(?:trouble|error|problems?|errors) (?:while )?deliver(?:ing|y)|deliver(?:y"
    r"|ing) (?:your mail )?(?:to .{0,80} )?(?:has )?(?:failed|problems|errors)|failed (?:permanently|recipient)"
    r"|permanent (?:fatal )?(?:delivery )?err"
    r"|did not reach the following|was not delivered|has been rejected|was rejected|undeliver(?:able|ed)"
    r"|following address(?:\(?es\)?)? (?:failed|had)|had (?:permanent )?(?:fatal |delivery )?(?:errors|problems)"
    r"|unknown (?:user|recipient)|user unknown|(?:invalid|no such|nonexistent|unknown) (?:user|recipient|address|mailbox"
    r"|account)|mailbox (?:is |was )?(?:full|unavailable)|recipient (?:address )?(?:rejected|unknown|name is not)"
    r"|transcript of session|smtp error|remote (?:host|server|mail server) (?:said|returned)|failure reasons"
    r"|returned message|message you sent (?:to|blocked|was)|(?:account|address) (?:that )?you tried to reach"
    r"|konnte nicht (?:zugestellt|übermittelt|ausgeliefert)|nicht zugestellt werden|n['’]a pas pu être (?:remis|distribué"
    r"|livré)|no (?:se )?(?:ha podido|pudo) (?:ser )?entreg|non (?:è stato|può essere) (?:possibile )?(?:recapita|consegna)"
    r"|kon niet worden (?:bezorgd|afgeleverd)|nie (?:może zostać|mogła zostać|została) dostarczon|não (?:foi|pôde ser"
    r"|pode ser) entreg|kunde inte levereras|kunne ikke leveres|не может быть доставлено|не доставлено"
    r"|送信できません|配信できません|配送できません|存在しない|\b55\d[ -]5?\.?\d?\.?\d? ?\S",
    _I,
)
AUTO_SUBJECT = re.compile(
    r"^\W{0,3}(?:(?:re|aw|fwd?)\s?:\s*)?\W{0,3}(?:auto(?:matic|mated|matische|matisch|matyczna|matisk)?[ -]?(?:reply"
    r"|response|respond(?:er)?|antwort|antwoord|svar|svar:|responder|vastaus)|autoreply|autosvar|autoantwort|autorespuesta"
    r"|autorisposta"
    r"|out[ -]of[ -](?:the[ -])?office|ooo\b|on (?:vacation|holiday|leave)|vacation (?:reply|notice|response)|away (?:from"
    r"|until|message)|i['’]?a?m (?:away|out of)|automatische antwort|abwesen(?:d|heit(?:snotiz|sassistent)?)"
    r"|nicht im (?:büro|haus)|im urlaub|urlaub"
    r"|réponse automatique|absent(?:e)?\b|absence|message d['’]absence|en congés?|respuesta automática"
    r"|fuera de (?:la )?oficina|ausente|ausencia|risposta automatica|fuori (?:ufficio|sede)|assente|assenza"
    r"|automatisch(?:e)? (?:antwoord|bericht)"
    r"|afwezig|niet aanwezig|odpowiedź automatyczna|automatyczna odpowiedź|autoodpowiedź|poza biurem|nieobecno"
    r"|resposta automática|ausência|fora do escritório|automatiskt svar|autosvar|frånvar|ej på kontoret|automatisk svar"
    r"|fraværende|ikke på kontoret"
    r"|automaattinen vastaus|poissa|автоответ|автоматический ответ|нет на месте|automatická odpověď|mimo kancelář|自動返信|自动回复"
    r"|不在通知)",
    _I,
)
#: what follows such words in the subject of a program
SUBJECT_ENDS = re.compile(r"\w{0,12}\s{0,3}(?:[:：\[(|–-]|$)")
AWAY = re.compile(
    r"(?:i am|i['’]m|i will be|i['’]ll be|we are|currently) (?:currently |presently |now )?(?:out of|away from|away"
    r"|on (?:annual |sick |parental |maternity |paternity )?(?:leave|vacation|holiday)|travel(?:l)?ing|not in the office"
    r"|off (?:work|today|until))"
    r"|(?:the )?office is (?:currently )?closed|ich bin .{0,60}?\b(?:nicht (?:im (?:büro|haus)|erreichbar|am (?:platz"
    r"|arbeitsplatz)|da)\b|abwesend|im urlaub|auß?s?er haus|auf dienstreise)"
    r"|bin (?:ich )?(?:derzeit |zurzeit |bis .{1,40} )?(?:nicht im büro|abwesend|im urlaub)|je (?:suis"
    r"|serai) (?:actuellement |actuellement en |en )?(?:absent|absente|congés?|déplacement|hors du bureau)|(?:estoy|estaré"
    r"|me encuentro) (?:actualmente |ahora )?(?:fuera|ausente|de vacaciones|de viaje)"
    r"|(?:sono|sarò) (?:attualmente |al momento )?(?:assente|fuori (?:ufficio|sede)|in ferie|in viaggio)"
    r"|ik ben (?:momenteel |op dit moment |tot .{1,40} |van .{1,60} )?(?:afwezig|niet aanwezig|niet op kantoor"
    r"|met (?:vakantie|verlof)|op vakantie)"
    r"|(?:jestem|będę) (?:obecnie )?(?:poza biurem|nieobecn\w+|na urlopie)|przebywam (?:obecnie )?na urlopie|(?:estou"
    r"|estarei) (?:atualmente |neste momento )?(?:ausente|fora (?:do escritório)?|de férias|em viagem)"
    r"|jag är (?:för närvarande |just nu )?(?:inte på kontoret|på semester|borta|bortrest|ledig|föräldraledig)"
    r"|jeg er (?:i øjeblikket |for tiden )?(?:ikke på kontoret|på ferie|bortrejst|ute av kontoret)|olen (?:poissa|lomalla)"
    r"|я (?:сейчас )?(?:в отпуске|отсутствую|не в офисе)",
    _I,
)
BACK = re.compile(
    r"(?:return(?:ing)?|back|respond|reply|get back to you|available again|read (?:your|my) (?:e-?mails?"
    r"|messages?)) (?:to (?:the )?(?:office|work|you|your (?:e-?mail|message)s?)|in the office|on|at|upon|when|after"
    r"|as soon as|once)|until (?:the )?(?:\d|mon|tue|wed|thu|fri|sat|sun|jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec)"
    r"|(?:limited|no|intermittent) access to (?:my )?(?:e-?mail|messages)"
    r"|(?:in|for) (?:urgent|pressing|emergency|case of)|if (?:your|this|it|the) .{0,30}(?:urgent|immediate|emergency)"
    r"|(?:please )?contact (?:my colleague|.{3,60}@)|wieder (?:erreichbar|im (?:büro|haus)|da|für sie)|(?:ab|bis"
    r"|zum) .{1,30}(?:erreichbar|zurück|\d{1,2}\.)|dringend|vertret(?:ung|er)|wird nicht (?:weitergeleitet|gelesen)"
    r"|de retour|en cas d['’]urgence|jusqu['’]au|à mon retour|regreso|hasta el|en caso de urgencia|urgente|fino al"
    r"|al mio (?:rientro|ritorno)|rientr|in caso di urgenza|terug|dringende|tot en met|wracam|powrot|w pilnych|do dnia"
    r"|regressarei|retorno|até|em caso de urgência|tillbaka|brådskande|åter|tilbage|tilbake|haster|hastende|palaan"
    r"|kiireelli|вернусь|срочн",
    _I,
)
AUTOMATIC = re.compile(
    r"this is an? auto(?:mat(?:ed|ic)(?:ally)?[ -]?(?:generated )?|[ -]?)(?:(?:e-?mail|system|out of office)[ -]?)?(?:reply"
    r"|response|message|e-?mail|answer|acknowledg|notification|generated)|auto(?:matically|-)[ -]?generated (?:reply"
    r"|response|message|e-?mail)|(?:please )?do not (?:reply|respond) to this (?:automated |automatic )?(?:e-?mail|message)"
    r"|replies to this (?:e-?mail|message|address) are not"
    r"|dies(?:e (?:e-?mail|nachricht|antwort)|es schreiben) (?:ist (?:eine )?automatisch|wurde automatisch"
    r"|wird automatisch)|automatisch (?:generiert|erstellt|erzeugt|versendet)|bitte antworten sie nicht auf diese"
    r"|(?:ceci est|il s['’]agit d['’]un) (?:une |un )?(?:réponse|message) automatique|(?:message|courriel"
    r"|e-?mail) (?:envoyé |généré )?automatique(?:ment)?"
    r"|ne pas répondre à ce|(?:este es un|esta es una) (?:mensaje|respuesta|correo) (?:automátic|generad)"
    r"|no responda a este|(?:questo|questa) (?:è )?(?:un |una )?(?:messaggio|risposta|e-?mail) automatic"
    r"|messaggio generato automaticamente|non rispondere a questo|dit is een automatisch|automatisch gegenereerd"
    r"|niet (?:te )?(?:antwoorden|beantwoorden) op dit"
    r"|(?:to jest |wiadomość )?(?:wiadomość |odpowiedź )?(?:została )?wygenerowan\w+ automatycznie|prosimy nie odpowiadać"
    r"|(?:esta é uma|este é um) (?:resposta|mensagem|e-?mail) automátic|não responda a este|detta är ett automatiskt"
    r"|svara inte på detta|dette er (?:et |en )?automatisk|ikke svar på denne|это автоматическ\w+ (?:ответ|сообщение)"
    r"|не отвечайте на это",
    _I,
)
RECEIVED = re.compile(
    r"(?:thank you|thanks) for (?:your (?:e-?mail|message|enquiry|inquiry|mail|interest|request)|contacting"
    r"|getting in touch|reaching out)|(?:we|i) (?:have )?(?:received|got) your (?:e-?mail|message|request|inquiry|enquiry)"
    r"|your (?:request|ticket|case|e-?mail|message|enquiry) (?:has been|was|is being) (?:received|created|logged|registered"
    r"|assigned|forwarded)"
    r"|(?:vielen dank|danke|besten dank) für ihre (?:e-?mail|nachricht|anfrage|mail)|(?:wir haben )?ihre (?:anfrage|e-?mail"
    r"|nachricht) (?:ist (?:bei uns )?eingegangen|wurde (?:erfasst|registriert)|erhalten)|(?:nous avons bien reçu"
    r"|merci (?:pour|de) votre)|(?:hemos recibido|gracias por (?:su|contactar))|(?:abbiamo ricevuto|grazie per (?:la|aver))"
    r"|(?:wij hebben|we hebben) uw .{0,30}ontvangen|(?:bedankt|dank) voor uw (?:bericht|e-?mail)|(?:dziękujemy za"
    r"|otrzymaliśmy)|(?:recebemos|obrigado por (?:sua|entrar))|(?:vi har (?:tagit emot|mottagit|modtaget)|tack för ditt"
    r"|tak for din|takk for din)|спасибо за (?:ваше|обращение)",
    _I,
)
TICKET = re.compile(
    r"(?:ticket|case|request|incident|reference|vorgang|anfrage|dossier|caso|zgłoszenie|ärende|sak)(?: ?(?:number|no|nr|id"
    r"|nummer|numéro|número|numero))?[ .:#\[(]{1,4}[A-Z0-9#-]{3,20}",
    _I,
)
