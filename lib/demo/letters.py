"""What customers write to the demo store's support, and what it answers: English and German.

``{p}`` is a product's short name, ``{o}`` an order number, ``{n}`` a first name, ``{s}`` who answers.
"""

TOPICS = (
    "where_is_my_order",
    "damaged",
    "wrong_item",
    "return",
    "quality",
    "how_to",
    "invoice",
    "discount_code",
    "change_order",
    "stock",
    "praise",
)

STAFF = ("Jana", "Tariq", "Marlene", "Bo")

HELLO = {
    "en": ("Hello,", "Hi there,", "Good morning,", "Dear team,", "Hi,", "Good evening,"),
    "de": ("Hallo,", "Guten Tag,", "Moin,", "Liebes Team,", "Guten Morgen,", "Guten Abend,"),
}
BYE = {
    "en": ("Thanks, {n}", "Best, {n}", "Kind regards, {n}", "Thank you in advance, {n}", "{n}"),
    "de": ("Danke, {n}", "Viele Grüße, {n}", "Beste Grüße, {n}", "Vielen Dank im Voraus, {n}", "{n}"),
}

SUBJECTS: dict[str, dict[str, tuple[str, ...]]] = {
    "en": {
        "where_is_my_order": ("Where is my parcel?", "Order {o} has not arrived", "Delivery of {o}", "Parcel overdue"),
        "damaged": ("{p} arrived damaged", "Broken on arrival", "Damage: order {o}"),
        "wrong_item": ("Wrong item in {o}", "Something is missing", "This is not what I ordered"),
        "return": ("I would like to send something back", "Return for order {o}", "How do returns work?"),
        "quality": ("Trouble with the {p}", "{p} has a fault", "Not happy with the {p}"),
        "how_to": ("Question about the {p}", "How do I use the {p}?", "A short question"),
        "invoice": ("Invoice for {o}", "Invoice with company name", "Payment question"),
        "discount_code": ("My code does not work", "Forgot the discount code", "Code question"),
        "change_order": ("Please change my address", "Can I change order {o}?", "Cancel {o}, please"),
        "stock": ("When is the {p} back?", "{p} sold out", "Restock?"),
        "praise": ("Just wanted to say thanks", "A compliment", "Thank you"),
    },
    "de": {
        "where_is_my_order": ("Wo ist mein Paket?", "Bestellung {o} ist nicht da", "Lieferung {o}", "Paket überfällig"),
        "damaged": ("{p} kam beschädigt an", "Bei Ankunft kaputt", "Schaden: Bestellung {o}"),
        "wrong_item": ("Falscher Artikel in {o}", "Es fehlt etwas", "Das habe ich nicht bestellt"),
        "return": ("Ich möchte etwas zurückschicken", "Rücksendung zu {o}", "Wie geht eine Rückgabe?"),
        "quality": ("Problem mit {p}", "{p} hat einen Fehler", "Unzufrieden mit {p}"),
        "how_to": ("Frage zu {p}", "Wie benutzt man {p}?", "Kurze Frage"),
        "invoice": ("Rechnung zu {o}", "Rechnung auf Firma", "Frage zur Zahlung"),
        "discount_code": ("Mein Code geht nicht", "Gutschein vergessen", "Frage zum Code"),
        "change_order": ("Bitte Adresse ändern", "Bestellung {o} ändern?", "Bitte {o} stornieren"),
        "stock": ("Wann gibt es {p} wieder?", "{p} ausverkauft", "Nachschub?"),
        "praise": ("Einfach mal danke", "Ein Lob", "Dankeschön"),
    },
}

ASKS: dict[str, dict[str, tuple[str, ...]]] = {
    "en": {
        "where_is_my_order": (
            "my order {o} should have been here days ago. The tracking has not moved since.",
            "could you tell me where order {o} is? It was promised for this week.",
            "the carrier says {o} was delivered, but nothing is here and the neighbours have nothing either.",
            "I have been waiting for {o}. I need it by Saturday, it is a present.",
            "the tracking number of {o} shows nothing at all.",
            "I stayed in all day for {o} and nobody rang.",
        ),
        "damaged": (
            "the {p} from order {o} arrived broken. The box looked as if something heavy had stood on it.",
            "unpacking {o} I found the {p} cracked. I can send photos.",
            "the {p} leaked in the parcel and everything else is sticky now.",
            "sadly the {p} has a big dent. What do we do?",
        ),
        "wrong_item": (
            "in {o} there is somebody else's article instead of my {p}.",
            "I ordered two of the {p} and got one.",
            "the {p} came in the wrong colour.",
            "one thing is missing from {o}: the {p}. It is on the delivery note, though.",
        ),
        "return": (
            "I would like to return the {p}. How does it work, and who pays?",
            "the {p} is lovely, but it does not suit our room. Can I swap it?",
            "could you send me a label for {o}? The {p} is unused.",
            "I sent the {p} back ten days ago and have not seen my money yet.",
        ),
        "quality": (
            "after two weeks the {p} has come apart. That cannot be right.",
            "the {p} smells odd. Is that normal, does it go away?",
            "I have had the {p} before and this one is clearly thinner.",
            "the {p} stopped working yesterday. I have tried everything in the leaflet.",
        ),
        "how_to": (
            "how do I best look after the {p}?",
            "how long does the {p} last, roughly, if two people use it every day?",
            "what exactly is the {p} made of? My daughter is sensitive to some things.",
            "does the {p} come with instructions? I cannot find any in the box.",
            "where should I keep the {p}, cool and dark or does it not matter?",
            "is there a trick to the {p}? I do not get it to work as in your video.",
        ),
        "invoice": (
            "could I have an invoice for {o} with our company's name on it?",
            "I was charged twice for {o}, please have a look.",
            "the bank transfer for {o} left my account on Monday. Has it arrived?",
            "I cannot find the invoice for {o} in my account.",
        ),
        "discount_code": (
            "my welcome code is refused at the checkout. Is there a minimum?",
            "I forgot to enter the code when ordering {o}. Can you still take it off?",
            "does the newsletter code also hold for the {p}?",
        ),
        "change_order": (
            "I typed an old address into {o}. Can you still change it?",
            "please cancel {o}, I ordered twice by mistake.",
            "can you add another {p} to {o}, if it has not left yet?",
        ),
        "stock": (
            "when will the {p} be available again?",
            "the {p} has been sold out for a while. Shall I wait?",
            "will there be more of the {p} before Christmas?",
        ),
        "praise": (
            "I only wanted to say that the {p} is wonderful. It made my week.",
            "thank you for the quick replacement of the {p}. That is how it should be.",
            "my parcel was packed so nicely that I did not want to open it. Thank you!",
        ),
    },
    "de": {
        "where_is_my_order": (
            "meine Bestellung {o} sollte seit Tagen da sein. Die Sendungsverfolgung steht still.",
            "können Sie mir sagen, wo {o} steckt? Zugesagt war diese Woche.",
            "laut Paketdienst wurde {o} zugestellt, hier ist aber nichts, auch nicht bei den Nachbarn.",
            "ich warte auf {o}. Ich brauche es bis Samstag, es ist ein Geschenk.",
            "die Sendungsnummer von {o} zeigt gar nichts an.",
            "ich war den ganzen Tag zu Hause wegen {o}, und niemand hat geklingelt.",
        ),
        "damaged": (
            "{p} aus Bestellung {o} ist kaputt angekommen. Der Karton war eingedrückt.",
            "beim Auspacken von {o} habe ich einen Riss gefunden: {p}. Fotos kann ich schicken.",
            "{p} ist im Paket ausgelaufen, jetzt klebt alles.",
            "{p} hat leider eine große Delle. Was machen wir?",
        ),
        "wrong_item": (
            "in {o} lag ein fremder Artikel statt {p}.",
            "ich hatte {p} zweimal bestellt und einmal bekommen.",
            "{p} kam in der falschen Farbe.",
            "in {o} fehlt {p}. Auf dem Lieferschein steht es aber.",
        ),
        "return": (
            "ich möchte {p} zurückgeben. Wie läuft das, und wer zahlt?",
            "{p} ist schön, passt aber nicht in unser Zimmer. Kann ich tauschen?",
            "könnten Sie mir ein Etikett für {o} schicken? {p} ist unbenutzt.",
            "vor zehn Tagen habe ich {p} zurückgeschickt und noch kein Geld gesehen.",
        ),
        "quality": (
            "nach zwei Wochen ist {p} auseinandergegangen. Das kann nicht sein.",
            "{p} riecht seltsam. Ist das normal, geht das weg?",
            "ich hatte {p} schon einmal, und dieses Stück ist deutlich dünner.",
            "{p} geht seit gestern nicht mehr. Ich habe alles aus der Anleitung probiert.",
        ),
        "how_to": (
            "wie pflege ich {p} am besten?",
            "wie lange hält {p} ungefähr, wenn zwei Personen es täglich benutzen?",
            "woraus besteht {p} genau? Meine Tochter ist empfindlich.",
            "gehört zu {p} eine Anleitung? Im Karton finde ich keine.",
            "wo bewahrt man {p} auf, kühl und dunkel, oder ist das egal?",
            "gibt es einen Trick bei {p}? Bei mir klappt es nicht wie im Video.",
        ),
        "invoice": (
            "könnte ich für {o} eine Rechnung auf unsere Firma bekommen?",
            "{o} wurde zweimal abgebucht, bitte schauen Sie einmal.",
            "die Überweisung für {o} ging am Montag raus. Ist sie angekommen?",
            "ich finde die Rechnung zu {o} nicht im Konto.",
        ),
        "discount_code": (
            "mein Willkommenscode wird an der Kasse abgelehnt. Gibt es einen Mindestwert?",
            "ich habe bei {o} den Code vergessen. Lässt sich das noch abziehen?",
            "gilt der Newsletter-Code auch für {p}?",
        ),
        "change_order": (
            "bei {o} habe ich eine alte Adresse angegeben. Geht das noch zu ändern?",
            "bitte stornieren Sie {o}, ich habe versehentlich doppelt bestellt.",
            "können Sie {p} noch zu {o} legen, falls es nicht schon unterwegs ist?",
        ),
        "stock": (
            "wann ist {p} wieder da?",
            "{p} ist schon länger ausverkauft. Lohnt sich das Warten?",
            "kommt {p} vor Weihnachten noch einmal herein?",
        ),
        "praise": (
            "ich wollte nur sagen, dass {p} wunderbar ist. Das hat meine Woche gerettet.",
            "danke für den schnellen Ersatz von {p}. So muss das sein.",
            "mein Paket war so schön gepackt, dass ich es kaum öffnen wollte. Danke!",
        ),
    },
}

ANSWERS: dict[str, dict[str, tuple[str, ...]]] = {
    "en": {
        "where_is_my_order": (
            "Hello {n}, I have asked the carrier: the parcel is stuck in the sorting centre and should move today. "
            "If it is not with you by the day after tomorrow, I will send a new one. {s}",
            "Hi {n}, I am sorry about the wait. The depot missed a scan; the parcel is on the van now. {s}",
        ),
        "damaged": (
            "Hello {n}, I am sorry. A new one leaves the house today; you need not send the broken one back. {s}",
            "Hi {n}, what a pity. Replacement or money back, which do you prefer? {s}",
        ),
        "wrong_item": (
            "Hello {n}, we mixed up two boxes. The right one leaves today, and a label for the other is attached. {s}",
            "Hi {n}, thanks for telling us. The missing piece is on its way. {s}",
        ),
        "return": (
            "Hello {n}, of course. The label is attached; the refund follows within three days of arrival. {s}",
            "Hi {n}, we have received it and the refund left our account this morning. {s}",
        ),
        "quality": (
            "Hello {n}, that should not happen. Could you send me a photo? I will sort it out either way. {s}",
            "Hi {n}, that sounds like a fault of this batch. I am sending you one from the new one. {s}",
        ),
        "how_to": (
            "Hello {n}, good question. I have asked in the workshop and attached what they said, with pictures. {s}",
            "Hi {n}, our short guide is attached; the second page answers it. Write again if it does not. {s}",
        ),
        "invoice": (
            "Hello {n}, the corrected invoice is attached. {s}",
            "Hi {n}, I see only one payment; the second was a reservation and will vanish within days. {s}",
        ),
        "discount_code": (
            "Hello {n}, I have taken it off afterwards; the refund is on its way. {s}",
            "Hi {n}, the code had run out. Here is a new one that works until Sunday. {s}",
        ),
        "change_order": (
            "Hello {n}, you were in time: it is changed. {s}",
            "Hi {n}, it left an hour ago, I am afraid. Please refuse it and I will refund you at once. {s}",
        ),
        "stock": (
            "Hello {n}, we expect it in about two weeks. Shall I write to you when it is here? {s}",
            "Hi {n}, the next batch is being made and sells out fast. I have put one aside for you. {s}",
        ),
        "praise": (
            "Hello {n}, that has made our day. Thank you! {s}",
            "Hi {n}, I have put your letter on the wall. {s}",
        ),
    },
    "de": {
        "where_is_my_order": (
            "Hallo {n}, ich habe beim Paketdienst nachgefragt: Es hängt im Verteilzentrum und soll heute weiter. "
            "Ist es übermorgen nicht da, schicke ich ein neues. {s}",
            "Guten Tag {n}, das Warten tut mir leid. Im Depot fehlte ein Scan, jetzt ist das Paket im Wagen. {s}",
        ),
        "damaged": (
            "Hallo {n}, das tut mir leid. Ersatz geht heute raus, das kaputte dürfen Sie behalten. {s}",
            "Guten Tag {n}, wie ärgerlich. Ersatz oder Geld zurück, was ist Ihnen lieber? {s}",
        ),
        "wrong_item": (
            "Hallo {n}, wir haben zwei Kartons vertauscht. Der richtige geht heute raus, ein Etikett liegt bei. {s}",
            "Guten Tag {n}, danke für den Hinweis. Das fehlende Teil ist unterwegs. {s}",
        ),
        "return": (
            "Hallo {n}, gern. Das Etikett hängt an, das Geld kommt binnen drei Tagen nach Eingang. {s}",
            "Guten Tag {n}, es ist angekommen, und die Erstattung ging heute früh raus. {s}",
        ),
        "quality": (
            "Hallo {n}, das darf nicht passieren. Schicken Sie mir bitte ein Foto? Ich löse es so oder so. {s}",
            "Guten Tag {n}, das klingt nach einem Fehler dieser Charge. Ich schicke eines aus der neuen. {s}",
        ),
        "how_to": (
            "Hallo {n}, gute Frage. Ich habe in der Werkstatt nachgefragt, die Antwort mit Bildern hängt an. {s}",
            "Guten Tag {n}, unsere kurze Anleitung hängt an, auf Seite zwei steht es. Sonst gern melden. {s}",
        ),
        "invoice": (
            "Hallo {n}, die geänderte Rechnung hängt an. {s}",
            "Guten Tag {n}, ich sehe nur eine Zahlung; die zweite war eine Vormerkung und verschwindet bald. {s}",
        ),
        "discount_code": (
            "Hallo {n}, ich habe es nachträglich abgezogen, die Erstattung ist unterwegs. {s}",
            "Guten Tag {n}, der Code war abgelaufen. Hier ein neuer, er gilt bis Sonntag. {s}",
        ),
        "change_order": (
            "Hallo {n}, gerade noch rechtzeitig: Es ist geändert. {s}",
            "Guten Tag {n}, es ist leider vor einer Stunde raus. Nehmen Sie es nicht an, ich erstatte sofort. {s}",
        ),
        "stock": (
            "Hallo {n}, wir rechnen in etwa zwei Wochen damit. Soll ich Ihnen dann schreiben? {s}",
            "Guten Tag {n}, die nächste Charge entsteht gerade. Ich habe Ihnen eines zurückgelegt. {s}",
        ),
        "praise": (
            "Hallo {n}, damit haben Sie uns den Tag verschönt. {s}",
            "Hallo {n}, Ihr Brief hängt jetzt an der Wand. {s}",
        ),
    },
}

AUTOMATIC = {
    "en": "Thank you for your message. We answer on weekdays from 9 to 18 and will be back to you as soon as we can.",
    "de": "Danke für Ihre Nachricht. Wir antworten werktags von 9 bis 18 Uhr und melden uns so schnell wie möglich.",
}
FOLLOW_UPS = {
    "en": (
        "Thanks {s}, that helps. {n}",
        "Unfortunately it is still not solved. Could you look again? {n}",
        "Great, then I will wait until Thursday. Thanks, {n}",
        "Here is the photo you asked for. Best, {n}",
        "Perfect, thank you for being so quick! {n}",
        "Money back, please. I do not need the {p} any more. {n}",
        "One more question, {s}: does that also hold for a second one? {n}",
        "I have done as you said, and still nothing has changed. {n}",
        "A replacement would be best for me. {n}",
        "Wonderful. I did not expect that. Kind regards, {n}",
    ),
    "de": (
        "Danke {s}, das hilft mir. {n}",
        "Leider ist es noch nicht gelöst. Schauen Sie bitte noch einmal? {n}",
        "Gut, dann warte ich bis Donnerstag. Danke, {n}",
        "Hier ist das Foto. Viele Grüße, {n}",
        "Perfekt, danke für die schnelle Antwort! {n}",
        "Bitte das Geld zurück, {p} brauche ich nun nicht mehr. {n}",
        "Noch eine Frage, {s}: Gilt das auch für ein zweites Stück? {n}",
        "Ich habe alles so gemacht, und es hat sich nichts geändert. {n}",
        "Ersatz wäre mir am liebsten. {n}",
        "Wunderbar, damit hatte ich nicht gerechnet. Beste Grüße, {n}",
    ),
}
CLOSINGS = {
    "en": ("Done. Have a good day! {s}", "All settled now; write any time. {s}", "That is sorted. {s}"),
    "de": ("Erledigt. Einen schönen Tag noch! {s}", "Damit ist alles geklärt. {s}", "Ist veranlasst. {s}"),
}

QUESTIONS = {
    "en": (
        ("Can I see the {p} in your shop before I buy?", "Yes, in Hamburg, Monday to Saturday."),
        ("Is the {p} made in Europe?", "Yes, in a small workshop in northern Germany."),
        ("How heavy is the {p}, roughly?", "A little under a kilo, with packaging."),
        ("Is there a better price for the {p} if I take three?", "From three on we take 5 % off; write to us."),
        ("Would the {p} suit as a present for a ten-year-old?", "We think so; several customers have done just that."),
        ("How long is the delivery of the {p} just now?", "Two to four working days within Germany."),
        ("What is the difference between this {p} and the older one?", "The new one is a little larger and sturdier."),
        ("Does the {p} come wrapped?", "On request: choose 'gift' at the checkout."),
    ),
    "de": (
        ("Kann ich {p} im Laden ansehen?", "Ja, in Hamburg, montags bis samstags."),
        ("Wird {p} in Europa hergestellt?", "Ja, in einer kleinen Werkstatt in Norddeutschland."),
        ("Wie schwer ist {p} ungefähr?", "Knapp ein Kilo mit Verpackung."),
        ("Gibt es {p} ab drei Stück günstiger?", "Ab drei Stück gehen 5 % ab, schreiben Sie uns."),
        ("Wie lange ist die Lieferzeit für {p}?", "Zwei bis vier Werktage innerhalb Deutschlands."),
        ("Kommt {p} als Geschenk verpackt?", "Auf Wunsch: an der Kasse 'Geschenk' wählen."),
    ),
}

SURVEY_COMMENTS = {
    "en": {
        "bad": (
            "The parcel came late and nobody told me.",
            "Quality was not what I paid for.",
            "Too much back and forth with support.",
            "Returning it was a hassle.",
        ),
        "fair": ("Nice shop, a bit dear.", "All fine, nothing special.", "More payment methods would help."),
        "good": (
            "Beautiful things and quick delivery.",
            "Friendly people who answer.",
            "My favourite place for presents.",
            "No plastic, good coffee, what more can I want?",
        ),
    },
    "de": {
        "bad": (
            "Das Paket kam zu spät, und niemand sagte Bescheid.",
            "Die Qualität war den Preis nicht wert.",
            "Zu viel Hin und Her mit dem Kundendienst.",
        ),
        "fair": ("Schöner Laden, etwas teuer.", "Alles in Ordnung, nichts Besonderes."),
        "good": (
            "Schöne Dinge, schnelle Lieferung.",
            "Nette Leute, die antworten.",
            "Mein Lieblingsladen für Geschenke.",
            "Kein Plastik, guter Kaffee.",
        ),
    },
}
