### Was Befehle im Terminal ausgeben: Spaltenköpfe, einzelne Wörter darin und kurze Sätze.

cli-agent-not-running = Hookswitch läuft nicht; dies zeigen die Busse selbst.
cli-agent-running = Hookswitch läuft.
cli-call-control = Anrufsteuerung
cli-calls = Anrufe
cli-certificate-ends = Zertifikat bis
cli-company = Firma
cli-consumer = keiner (privat)
cli-locked = aus: Die Einstellungen dafür sind nicht zu gebrauchen (siehe unten)
cli-deployment = Art
cli-device = Headset
cli-enrolled = Angemeldet
cli-firmware = Firmware
cli-from = Von
cli-group = Gruppe
cli-headsets = Headsets
cli-id = Kennung
cli-job-ended = Letzte Aktualisierung: { $name }: { $what }. { $next }
cli-job-succeeded = Letzte Aktualisierung: { $name } ist gelungen; das Headset meldet Version { $version }.
cli-last-poll = Zuletzt gefragt
cli-next-poll = Nächste Frage
cli-no = nein
cli-no-groups = Die Gruppen sind noch nicht bestimmt.
cli-no-headset = Es ist kein Headset angeschlossen.
cli-none = noch keine
cli-off = aus
cli-offer = Angebot
cli-outbox = Wartende Meldungen
cli-policy = Richtlinienversion
cli-polled = Die Firma wurde gefragt. In Kraft ist Version { $version } der Richtlinie.
cli-ready = bereit
cli-rest = Tür für Softphones
cli-run-consumer = Kein Mandant: privater Betrieb. Alle lokalen Funktionen arbeiten.
cli-run-locked = Was die Einstellungen über eine Firma sagen, ist nicht zu gebrauchen: Ihre Funktionen sind aus. Was das Headset kann, geht trotzdem.
cli-run-device = Headset: { $name }, Version { $version }
cli-run-no-rest = Die Tür für Softphones ist zu; `hookswitch status` sagt, warum.
cli-run-rest = Softphones können sich mit { $url } verbinden
cli-run-tenant = Verwaltet von { $server }
cli-in-use = für Anrufe verwendet
cli-headset-chosen = { $id } wird ab jetzt für Anrufe verwendet.
cli-state = Zustand
cli-softphone = Softphone
cli-softphone-label = Nennt sich
cli-softphone-connected = Verbunden
cli-decided-by = Wer entscheidet
cli-no-softphones = Kein Softphone bittet um Erlaubnis, und keines ist zugelassen.
cli-softphone-approved = { $softphone } darf das Headset ab jetzt nutzen.
cli-softphone-revoked = { $softphone } darf das Headset nicht mehr nutzen.
cli-run-softphone = { $softphone } möchte das Headset nutzen. Wenn Sie ihm vertrauen: hookswitch softphones approve { $softphone }
cli-policy-seen = Richtlinie aus einem Ordner, Stand
cli-outbox-folder = keine: Ein Ordner nimmt keine Meldungen an
cli-run-folder = Verwaltet durch die Richtlinie in { $server }; gemeldet wird dorthin nichts
cli-seen = { $time }, { $age }
cli-age-minutes = { $number ->
        [0] gerade eben
        [one] vor einer Minute
       *[other] vor { $number } Minuten
    }
cli-age-hours = { $number ->
        [one] vor einer Stunde
       *[other] vor { $number } Stunden
    }
cli-age-days = { $number ->
        [one] vor einem Tag
       *[other] vor { $number } Tagen
    }
cli-tenant = Mandant
cli-to = Auf
cli-unavailable = nicht nutzbar
cli-update = Aktualisierung
cli-no-history = Auf diesem Rechner ist noch keine Aktualisierung zu Ende gegangen.
cli-when = Wann
cli-headset = Headset
cli-verdict = Ergebnis
cli-update-succeeded = Gelungen: Das Headset ist wieder da und meldet Version { $version }.
cli-updates = Aktualisierungen
cli-updating = wird aktualisiert
cli-unplugged = abgezogen: wieder an denselben USB-Anschluss stecken
cli-cancelling = Aktualisierung wird abgebrochen
cli-offer-deferred = Zurückgestellt bis zur nächsten Version.
cli-needs-firmware = braucht seine Firmware noch einmal
cli-version = Version
cli-why-assigned = von Hand zugewiesen
cli-why-everyone = alle gehören dazu
cli-why-last-known = wie zuletzt bekannt ({ $what })
cli-why-ldap = gefunden durch { $filter } bei { $server }
cli-yes = ja
cli-bundle-written = { $file } enthält { $count ->
        [one] eine Datei
       *[other] { $count } Dateien
    }, ohne Geheimnisse. Bitte vor dem Versenden hineinsehen.
cli-bundle-missing = Nicht enthalten: { $name } ({ $reason })
cli-cancelled = Die Aktualisierung wird abgebrochen. Nach einigen Sekunden bietet `hookswitch update list` sie wieder an.
cli-cancelled-waiting = Die Aktualisierung wartet nicht mehr. `hookswitch update list` bietet sie weiter an.
cli-put-off = Aufgeschoben. `hookswitch update list` sagt, wann sie wieder kommt.
cli-deferred = Aufgeschoben, bis es eine andere Version gibt. `hookswitch update install` installiert die Aktualisierung trotzdem.
cli-groups-consumer = Es gibt keinen Mandanten, also auch keine Gruppen.
cli-groups-locked = Der Mandant ist nicht zu gebrauchen, deshalb gibt es keine Gruppen; `hookswitch status` sagt warum.
cli-progress = { $percent } %, { $done } von { $total } Byte: { $phase }
cli-setting-secret = (gesetzt)
cli-from-default = Vorgabe
cli-from-user = Benutzer
cli-from-environment = Umgebung
cli-from-machine = Rechner
cli-from-locked = von der IT festgelegt in { $place }
cli-package-target = für { $device }
cli-package-component = Komponente { $id }: { $file }, Version { $version }, { $bytes } Byte, { $suffix }
cli-package-no-suffix = ohne DFU-Suffix
cli-package-suffix = DFU-Suffix für { $device }
cli-package-minutes = dauert etwa { $minutes } min
cli-package-fault = hookswitch: Dies ist kein gutes Firmware-Paket: { $fault }
cli-package-written = { $file }: { $bytes } Byte
cli-run-headless = Ohne Oberfläche (--headless): kein Symbol und keine Hinweise; Arbeitsfläche und D-Bus werden nicht benutzt.
cli-setting-written = Geschrieben in { $file }.
cli-setting-overridden = Vorrang hat der Wert von anderer Stelle: { $from }.
cli-setting-next-start = Sie gilt ab dem nächsten Start von Hookswitch.
