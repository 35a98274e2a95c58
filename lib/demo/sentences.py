"""What the demo store's customers write in reviews: sentences to choose from, in English and German.

``{p}`` is the product's short name. A review is an opening, what it is about, at times a detail, and a close.
"""

LANGUAGES = ("en", "de")

# By rating: bad (1-2), so-so (3), good (4-5).
TITLES: dict[str, dict[str, tuple[str, ...]]] = {
    "en": {
        "bad": (
            "Disappointed",
            "Not what I hoped for",
            "Expected more",
            "Sadly no",
            "Would not order again",
            "Too bad",
        ),
        "fair": ("It is all right", "Mixed feelings", "Fine, with a but", "Half happy", "Good idea, small flaws"),
        "good": (
            "Lovely",
            "Exactly right",
            "Very happy",
            "Will buy again",
            "A small daily joy",
            "Beautiful",
            "Well made",
        ),
    },
    "de": {
        "bad": ("Enttäuscht", "Leider nein", "Hatte mehr erwartet", "Schade", "Nicht noch einmal", "So nicht"),
        "fair": ("Ganz in Ordnung", "Gemischte Gefühle", "Gut mit Abstrichen", "Geht so", "Schöne Idee"),
        "good": ("Wunderbar", "Genau richtig", "Sehr zufrieden", "Gern wieder", "Einfach schön", "Klare Empfehlung"),
    },
}

OPENINGS: dict[str, dict[str, tuple[str, ...]]] = {
    "en": {
        "bad": (
            "I was really looking forward to the {p}.",
            "Bought the {p} as a present.",
            "My third order here, and the first that went wrong.",
            "I wanted to love the {p}.",
            "After all the good reviews I ordered the {p}.",
            "Ordered the {p} for our new flat.",
            "I usually like this shop a lot.",
            "Not sure what happened with my {p}.",
        ),
        "fair": (
            "The {p} does what it should.",
            "We have used the {p} for two weeks now.",
            "I am in two minds about the {p}.",
            "Nice enough, the {p}.",
            "The {p} looks as in the pictures.",
            "Bought the {p} on a whim.",
        ),
        "good": (
            "The {p} is even nicer than in the pictures.",
            "I ordered the {p} after seeing it at a friend's.",
            "We have had the {p} for a month now.",
            "This is my second {p}.",
            "Gave the {p} to my mother, who called at once.",
            "I had been looking for something like the {p} for ages.",
            "What a find, the {p}.",
            "The {p} arrived on a grey Tuesday and made it better.",
            "I do not often write reviews, but the {p} deserves one.",
            "Small shop, great {p}.",
        ),
    },
    "de": {
        "bad": (
            "Ich hatte mich sehr auf {p} gefreut.",
            "{p} sollte ein Geschenk sein.",
            "Meine dritte Bestellung hier, und die erste, die schiefging.",
            "Nach all den guten Bewertungen habe ich {p} bestellt.",
            "Eigentlich mag ich diesen Laden sehr.",
            "{p} habe ich für die neue Wohnung bestellt.",
            "Ich weiß nicht, was bei {p} passiert ist.",
        ),
        "fair": (
            "{p} tut, was es soll.",
            "Wir benutzen {p} jetzt seit zwei Wochen.",
            "Bei {p} bin ich hin- und hergerissen.",
            "{p} sieht aus wie auf den Bildern.",
            "{p} war ein Spontankauf.",
        ),
        "good": (
            "{p} ist noch schöner als auf den Bildern.",
            "{p} habe ich bei einer Freundin gesehen und gleich bestellt.",
            "Seit einem Monat haben wir {p} im Haus.",
            "Das ist schon meine zweite Bestellung von {p}.",
            "{p} war ein Geschenk für meine Mutter, sie rief sofort an.",
            "So etwas wie {p} habe ich lange gesucht.",
            "Ein echter Fund: {p}.",
            "Ich schreibe selten Bewertungen, aber {p} hat eine verdient.",
        ),
    },
}

# What a review is about.
TOPICS: dict[str, dict[str, tuple[str, ...]]] = {
    "en": {
        "late": (
            "It was promised for Thursday and came the following Wednesday.",
            "The parcel sat in a sorting centre for five days and nobody could tell me why.",
            "Delivery took almost two weeks, far past the day I was given.",
            "It came two days after the birthday it was meant for.",
            "The tracking page said 'tomorrow' every day for a week.",
            "Three changed delivery dates, and no message from the shop.",
            "I stayed at home twice for a parcel that did not come.",
            "By the time it arrived I had bought something else in town.",
            "I asked twice where my parcel was before anything moved.",
        ),
        "damaged": (
            "One corner was crushed, and not only that of the box.",
            "It arrived damaged; a single sheet of paper was all the padding.",
            "The box was wet and everything in it smelled of cardboard.",
            "The parcel had been opened and taped up again, and you could see why.",
            "Somebody must have stood on it on the way.",
            "Squashed, torn and taped: a sad sight to unpack.",
        ),
        "wrong": (
            "I got a different colour from the one I ordered.",
            "Somebody else's order was in my box.",
            "One of the two pieces was missing.",
            "They sent the small one, I paid for the large one.",
            "The label says one thing and the content is another.",
        ),
        "size": (
            "It is much smaller than the photos make you believe.",
            "It does not fit, although I measured twice.",
            "The stated size is off by a good three centimetres.",
            "It takes up far more room than I thought; please show it next to a cup.",
        ),
        "fair": (
            "Good quality, but the price is steep.",
            "Nice in the hand; the instructions could be clearer.",
            "It works, although it is louder than I thought.",
            "The colour is a little darker than shown.",
            "Delivery was quick, the packaging rather large.",
            "Pretty, though I expected it to be heavier.",
            "A solid everyday thing, nothing more and nothing less.",
        ),
        "delivery": (
            "It was here a day early and packed with care.",
            "Ordered on Sunday evening, in my hands on Tuesday.",
            "No plastic in the box at all, thank you for that.",
            "The handwritten card was a nice touch.",
        ),
        "service": (
            "A question about it was answered within minutes by a real person.",
            "One part was missing at first and was sent the same day, no fuss.",
            "The advice in the chat was honest: they talked me out of the dearer one.",
        ),
        "gift": (
            "It was a present and a full success.",
            "My sister wants one too now.",
            "The best housewarming present I have given in years.",
        ),
        "good": (
            "You feel that somebody thought about it.",
            "It feels made to stay.",
            "Nothing about it is too much.",
            "I was sceptical about the price and am not any more.",
            "Visitors keep asking where it is from.",
            "Well made, and it looks good on the shelf too.",
            "Worth every cent.",
            "It does one thing and does it well.",
            "I use it every single day.",
            "Simple, sturdy, beautiful.",
        ),
    },
    "de": {
        "late": (
            "Versprochen war Donnerstag, gekommen ist es am Mittwoch darauf.",
            "Das Paket lag fünf Tage im Verteilzentrum, und niemand wusste warum.",
            "Fast zwei Wochen Lieferzeit, weit über dem genannten Tag.",
            "Es kam zwei Tage nach dem Geburtstag an, für den es gedacht war.",
            "In der Sendungsverfolgung stand eine Woche lang jeden Tag 'morgen'.",
            "Drei neue Liefertermine und keine einzige Nachricht vom Laden.",
            "Zweimal bin ich für ein Paket zu Hause geblieben, das nicht kam.",
            "Als es endlich da war, hatte ich längst etwas anderes gekauft.",
        ),
        "damaged": (
            "Eine Ecke war eingedrückt, und nicht nur die vom Karton.",
            "Es kam beschädigt an, gepolstert nur mit einem Blatt Papier.",
            "Der Karton war nass, und alles roch nach Pappe.",
            "Das Paket war geöffnet und wieder zugeklebt, man sah auch warum.",
            "Unterwegs muss jemand daraufgestanden haben.",
        ),
        "wrong": (
            "Ich habe eine andere Farbe bekommen als bestellt.",
            "In meinem Karton lag die Bestellung von jemand anderem.",
            "Eines von zwei Teilen fehlte.",
            "Geliefert wurde die kleine Größe, bezahlt habe ich die große.",
        ),
        "size": (
            "Viel kleiner, als die Fotos glauben machen.",
            "Passt leider nicht, obwohl ich zweimal gemessen habe.",
            "Die Maßangabe stimmt um gut drei Zentimeter nicht.",
            "Braucht viel mehr Platz, als ich dachte.",
        ),
        "fair": (
            "Gute Qualität, aber der Preis ist happig.",
            "Liegt gut in der Hand, die Anleitung könnte klarer sein.",
            "Funktioniert, ist aber lauter als gedacht.",
            "Die Farbe ist etwas dunkler als gezeigt.",
            "Schnelle Lieferung, der Karton war allerdings viel zu groß.",
            "Hübsch, ich hatte es mir nur schwerer vorgestellt.",
        ),
        "delivery": (
            "Einen Tag früher da und mit Liebe verpackt.",
            "Sonntagabend bestellt, Dienstag in der Hand.",
            "Im Karton kein Stück Plastik, danke dafür.",
            "Die handgeschriebene Karte war eine schöne Überraschung.",
        ),
        "service": (
            "Eine Frage dazu wurde in Minuten von einem echten Menschen beantwortet.",
            "Ein Teil fehlte zuerst und kam ohne Diskussion am nächsten Tag.",
            "Im Chat wurde mir ehrlich vom teureren Modell abgeraten.",
        ),
        "gift": (
            "Als Geschenk ein voller Erfolg.",
            "Meine Schwester will jetzt auch eins.",
            "Zum Einzug verschenkt, die Freude war groß.",
        ),
        "good": (
            "Man merkt, dass sich jemand Gedanken gemacht hat.",
            "Gemacht, um zu bleiben.",
            "Nichts daran ist zu viel.",
            "Beim Preis war ich skeptisch, jetzt nicht mehr.",
            "Besuch fragt ständig, woher es ist.",
            "Gut verarbeitet und dazu noch schön anzusehen.",
            "Jeden Cent wert.",
            "Ich benutze es jeden Tag.",
            "Schlicht, stabil, schön.",
        ),
    },
}

# What is wrong with the goods themselves: of what is used up, of textiles, of lamps, of other things.
QUALITY: dict[str, dict[str, tuple[str, ...]]] = {
    "en": {
        "consumable": (
            "It was gone in half the time that you promise.",
            "Clearly weaker than the one I had before.",
            "It smells of something artificial, and that does not go away.",
            "There was far less in it than the packaging suggests.",
            "I noticed no difference to the one from the supermarket, except the price.",
            "The packaging was not properly closed, and you could tell.",
            "Too strong for us; we gave the rest away.",
        ),
        "textile": (
            "After a week the seam came loose.",
            "The colour faded in the first wash.",
            "The fabric is thinner than it looks in the pictures.",
            "It lost fluff all over the flat.",
            "It shrank, although I washed it as the label says.",
        ),
        "lamp": (
            "It flickers as soon as another lamp is on.",
            "It stopped working after three weeks.",
            "The light is cold, not warm as described.",
            "The cord is so short that it hangs in the air.",
            "The switch sticks.",
        ),
        "other": (
            "The material feels thin for the price.",
            "The finish is careless, you see it up close.",
            "It looks tired already, after ten uses at most.",
            "I have had better ones for half the money.",
            "After three weeks it was broken.",
            "It does not stand straight.",
        ),
    },
    "de": {
        "consumable": (
            "War in der halben Zeit aufgebraucht.",
            "Deutlich schwächer als beim letzten Mal.",
            "Riecht künstlich, und das geht nicht weg.",
            "Viel weniger drin, als die Verpackung vermuten lässt.",
            "Kein Unterschied zu dem aus dem Supermarkt, außer im Preis.",
            "Die Verpackung war nicht richtig verschlossen, das merkt man.",
        ),
        "textile": (
            "Nach einer Woche ging die Naht auf.",
            "Nach der ersten Wäsche war die Farbe verblasst.",
            "Der Stoff ist dünner, als er auf den Bildern aussieht.",
            "Fusselt durch die ganze Wohnung.",
            "Eingelaufen, obwohl nach Etikett gewaschen.",
        ),
        "lamp": (
            "Flackert, sobald eine andere Lampe an ist.",
            "Nach drei Wochen ging sie nicht mehr.",
            "Das Licht ist kalt und nicht warm wie beschrieben.",
            "Das Kabel ist viel zu kurz.",
        ),
        "other": (
            "Das Material wirkt dünn für den Preis.",
            "Von Nahem sieht man, wie nachlässig es gearbeitet ist.",
            "Sieht nach zehnmal Benutzen schon müde aus.",
            "Für die Hälfte des Geldes hatte ich schon bessere.",
            "Steht nicht gerade.",
        ),
    },
}

# What is good about the goods, by category (its position in the catalogue).
PRAISE: dict[str, tuple[tuple[str, ...], ...]] = {
    "en": (
        (
            "Round, chocolatey, not a trace of bitterness.",
            "The whole kitchen smells wonderful in the morning.",
            "Freshly roasted, the date is on the bag.",
            "It makes a thick crema even in my old machine.",
            "Tastes like the café by the harbour.",
        ),
        (
            "It sits well in the hand and survives the dishwasher.",
            "The glaze is different on every piece, and that is the charm.",
            "Heavy in a good way.",
            "Cooking is simply more fun with it.",
            "It has replaced three things in my drawer.",
        ),
        (
            "The scent fills the room without giving me a headache.",
            "It burns evenly down to the bottom.",
            "Even unlit you notice it when you come in.",
            "It smells of a walk by the sea.",
            "No soot at all on the glass.",
        ),
        (
            "My skin no longer feels tight after washing.",
            "It lasts far longer than I thought.",
            "A gentle scent that does not shout.",
            "The refill spares us a bottle every month.",
            "Even my teenage son uses it willingly.",
        ),
        (
            "Soft from the first day, and softer after each wash.",
            "The colours are calm and go with everything.",
            "Warm without being heavy.",
            "It dries fast and does not lint.",
            "I sleep better in it, no joke.",
        ),
        (
            "The light is warm and makes the corner feel lived in.",
            "It took five minutes to put up.",
            "The cord is long enough for once.",
            "It looks far dearer than it was.",
            "You can dim it down to candlelight.",
        ),
        (
            "A small amount is enough, and the sink shines.",
            "It smells of lemon, not of chemistry.",
            "The stain that survived everything else is gone.",
            "I like that I only refill the bottle.",
            "Even burnt milk comes off.",
        ),
        (
            "My basil has never looked better.",
            "It stands firm and does not leak.",
            "The terracotta has a lovely tone.",
            "Pours precisely, without drops on the sill.",
            "Two weeks later the first green showed.",
        ),
    ),
    "de": (
        (
            "Rund und schokoladig, kein bisschen bitter.",
            "Morgens duftet die ganze Küche.",
            "Frisch geröstet, das Datum steht auf der Tüte.",
            "Selbst meine alte Maschine macht damit eine dicke Crema.",
            "Schmeckt wie im Café am Hafen.",
        ),
        (
            "Liegt gut in der Hand und übersteht die Spülmaschine.",
            "Die Glasur ist bei jedem Stück anders, das macht den Reiz aus.",
            "Angenehm schwer.",
            "Damit macht Kochen einfach mehr Spaß.",
            "Hat drei Dinge in meiner Schublade ersetzt.",
        ),
        (
            "Der Duft füllt den Raum, ohne Kopfschmerzen zu machen.",
            "Brennt gleichmäßig bis zum Boden ab.",
            "Selbst wenn sie nicht brennt, riecht man sie beim Hereinkommen.",
            "Riecht wie ein Spaziergang am Meer.",
            "Kein Ruß am Glas.",
        ),
        (
            "Die Haut spannt nach dem Waschen nicht mehr.",
            "Hält viel länger als gedacht.",
            "Ein feiner Duft, der nicht aufdringlich ist.",
            "Mit dem Nachfüllpack sparen wir jeden Monat eine Flasche.",
            "Sogar mein Sohn benutzt es freiwillig.",
        ),
        (
            "Weich vom ersten Tag an und nach jeder Wäsche weicher.",
            "Ruhige Farben, die zu allem passen.",
            "Warm, ohne schwer zu sein.",
            "Trocknet schnell und fusselt nicht.",
            "Ich schlafe besser darin, kein Witz.",
        ),
        (
            "Warmes Licht, die Ecke ist jetzt richtig wohnlich.",
            "In fünf Minuten aufgehängt.",
            "Endlich einmal ein Kabel, das lang genug ist.",
            "Sieht viel teurer aus, als sie war.",
            "Lässt sich bis auf Kerzenschein dimmen.",
        ),
        (
            "Ein kleiner Klecks genügt, und die Spüle glänzt.",
            "Riecht nach Zitrone und nicht nach Chemie.",
            "Der Fleck, der alles überlebt hatte, ist weg.",
            "Schön, dass man die Flasche nur nachfüllt.",
            "Sogar angebrannte Milch geht ab.",
        ),
        (
            "Mein Basilikum sah noch nie so gut aus.",
            "Steht fest und ist dicht.",
            "Der Terrakottaton ist wunderschön.",
            "Gießt genau, ohne Tropfen auf der Fensterbank.",
            "Nach zwei Wochen kam das erste Grün.",
        ),
    ),
}

CLOSES: dict[str, dict[str, tuple[str, ...]]] = {
    "en": {
        "bad": (
            "I am sending it back.",
            "A real pity.",
            "I would like my money back.",
            "One star, because less is not possible.",
            "Still waiting for an answer.",
            "Please do better.",
            "I had expected more of you.",
            "",
        ),
        "fair": ("Three stars.", "All in all fine.", "I will keep it.", "Maybe again in the sale.", ""),
        "good": (
            "Recommended.",
            "I will be back.",
            "Five stars.",
            "Thank you!",
            "The next one is in the basket already.",
            "Please never change it.",
            "Keep it up.",
            "",
            "",
        ),
    },
    "de": {
        "bad": (
            "Geht zurück.",
            "Wirklich schade.",
            "Ich hätte gern mein Geld zurück.",
            "Ein Stern, weil weniger nicht geht.",
            "Warte noch auf eine Antwort.",
            "Das könnt ihr besser.",
            "",
        ),
        "fair": ("Drei Sterne.", "Alles in allem in Ordnung.", "Ich behalte es.", "Vielleicht im Angebot wieder.", ""),
        "good": (
            "Klare Empfehlung.",
            "Ich komme wieder.",
            "Fünf Sterne.",
            "Danke!",
            "Das nächste liegt schon im Warenkorb.",
            "Bitte nie ändern.",
            "Weiter so.",
            "",
            "",
        ),
    },
}

# Replies of the store: to thank, and to put right.
THANKS = {
    "en": (
        "Thank you, {n}! It makes us happy to hear that.",
        "What a kind review, {n}. We have read it aloud in the workshop.",
        "Thank you for taking the time, {n}. Enjoy it!",
        "That is what we do it for, {n}. See you soon.",
    ),
    "de": (
        "Danke, {n}! Das freut uns sehr.",
        "Was für eine nette Bewertung, {n}. Wir haben sie in der Werkstatt vorgelesen.",
        "Danke, dass Sie sich die Zeit genommen haben, {n}.",
        "Dafür machen wir das, {n}. Bis bald!",
    ),
}
SORRY: dict[str, dict[str, tuple[str, ...]]] = {
    "en": {
        "late": (
            "Dear {n}, that was far too long, and we should have told you. The shipping is refunded; "
            "we have taken it up with the carrier.",
            "I am sorry, {n}. The parcel was stuck and we noticed too late. Please write to us if it is of no use now.",
        ),
        "damaged": (
            "Dear {n}, it should not reach you like that. A new one leaves today; please keep the broken one.",
            "I am sorry, {n}. We have changed the padding of this article and send you a replacement.",
        ),
        "other": (
            "Dear {n}, thank you for telling us plainly. I have written to you by e-mail so that we can put it right.",
            "I am sorry it disappointed you, {n}. You may send it back free of charge, also after use.",
            "Thank you, {n}. We have passed this on to the maker; a refund is on its way to you.",
        ),
    },
    "de": {
        "late": (
            "Guten Tag {n}, das hat viel zu lange gedauert, und wir hätten Bescheid geben müssen. Die Versandkosten "
            "erstatten wir.",
            "Es tut mir leid, {n}. Das Paket hing fest, und wir haben es zu spät bemerkt.",
        ),
        "damaged": (
            "Guten Tag {n}, so darf es nicht ankommen. Ersatz geht heute auf den Weg, das kaputte Stück "
            "dürfen Sie behalten.",
            "Es tut mir leid, {n}. Wir haben die Polsterung geändert und schicken Ihnen ein neues Stück.",
        ),
        "other": (
            "Guten Tag {n}, danke für die offenen Worte. Ich habe Ihnen eine E-Mail geschrieben, damit wir es lösen.",
            "Schade, dass es Sie enttäuscht hat, {n}. Sie können es kostenlos zurückschicken.",
        ),
    },
}
