### Was schiefging, und unter `.next`, was zu tun ist. Der Ort steht daneben.

## Einstellungen

problem-setting-invalid = Der Wert von { $key } ist nicht zu gebrauchen und gilt nicht
    .next = { $kind ->
        [port] Schreiben Sie einen TCP-Port von 0 bis 65535.
        [truth] Schreiben Sie true (ja) oder false (nein).
        [origins] Schreiben Sie eine Liste von höchstens 64 Seiten wie https://softphone.example und Programmen wie /usr/bin/softphone.
        [language] Schreiben Sie ein Sprachkennzeichen wie de-DE.
        [https] Schreiben Sie eine Adresse ohne Kennwort, Abfrage und Sprungmarke: https:// für einen Server, file:// oder folder+https:// für einen Ordner.
        [tenant-id] Schreiben Sie 1 bis 128 Buchstaben, Ziffern, „-“, „_“ oder „.“.
        [token] Schreiben Sie 1 bis 4096 sichtbare ASCII-Zeichen.
        [sha256] Schreiben Sie den SHA-256 von root.json, 64 Hexadezimalziffern.
        [path] Schreiben Sie den vollständigen Pfad einer PEM-Datei.
        [user] Schreiben Sie 1 bis 256 Zeichen, keines davon ein Steuerzeichen oder unsichtbar.
        [headset] Schreiben Sie die Kennung eines Headsets, wie „hookswitch devices“ sie ausgibt.
       *[level] Schreiben Sie eines der Wörter error, warn, info, debug, trace.
    }
problem-setting-managed = { $key } wird von Ihrer IT-Abteilung festgelegt und lässt sich hier nicht ändern
    .next = Entfernen Sie die Angabe hier oder bitten Sie Ihre IT-Abteilung, { $machine } zu ändern.
problem-setting-misspelt = Es gibt keine Einstellung { $key }; am nächsten kommt { $nearest }
    .next = Schreiben Sie { $nearest }; „hookswitch settings list“ zeigt alle.
problem-setting-token-first = Das Token eines Mandanten ist gesetzt und würde an den Mandanten des neuen { $key } gesandt
    .next = Nehmen Sie es zuerst heraus („hookswitch settings set tenant_token“), und setzen Sie das neue zuletzt.
problem-settings-unknown = Namen in der Datei, die keine Einstellungen sind, außer den schon genannten: { $more }
    .next = Entfernen Sie sie; „hookswitch settings list“ zeigt alle, die es gibt.
problem-setting-unknown = Es gibt keine Einstellung { $key }
    .next = „hookswitch settings list“ zeigt alle, die es gibt; nur diese gelten.
problem-settings-newer = Die Einstellungsdatei hat das Schema { $schema }, dieser Agent kennt höchstens { $known }
    .next = Aktualisieren Sie den Agenten; bis dahin gelten die Einstellungen, die er kennt.
problem-settings-unusable = Die Einstellungsdatei ist nicht zu gebrauchen: { $reason }
    .next = Die Datei berichtigen oder entfernen. Bis dahin gilt nichts, worüber sie bestimmen könnte, etwa der Mandant.
problem-settings-withheld = Dieser Rechner wird verwaltet, aber dieses Benutzerkonto darf seine Einstellungen nicht lesen
    .next = Was Ihre Firma vorgibt, bleibt in diesem Benutzerkonto aus; was Ihr Headset kann, geht trotzdem. Welche Konten die Datei lesen dürfen, bestimmt Ihre IT-Abteilung.
problem-tenant-token-exposed = Jeder Benutzer dieses Rechners kann das Token des Mandanten lesen
    .next = { $file ->
        [private] chgrp hookswitch { $private } und chmod 640 { $private }: Dann lesen sie die Mitglieder dieser Gruppe und sonst niemand. Lassen Sie beim Mandanten ein neues Token vergeben.
       *[shared] Verlegen Sie die Zeile tenant_token nach { $private } (Eigentümer root, Rechte 0600) und lassen Sie beim Mandanten ein neues Token vergeben.
    }
problem-language-not-spoken = Hookswitch hat keine Texte in { $tag }
    .next = Es gibt { $known }; statt jeder anderen Sprache ist es Englisch.
problem-settings-unreadable = Zeile { $line } der Einstellungsdatei ist kein TOML; die Datei wird übergangen
    .next = Berichtigen Sie die Zeile: Name = Wert, Texte in Anführungszeichen.

## Ordner und Protokolle

problem-home-foreign = Der Ordner gehört einem anderen Benutzer: { $owner }
    .next = Nennen Sie mit --home DIR oder HOOKSWITCH_HOME einen eigenen Ordner oder berichtigen Sie den Besitzer.
problem-home-open = Andere Benutzer dürfen in den Ordner schreiben; was darin liegt, kann von ihnen sein
    .next = Nachsehen, was darin liegt, ihnen das Recht nehmen (chmod go-w) oder mit --home DIR oder HOOKSWITCH_HOME einen anderen Ordner nennen.
problem-home-unknown = Dieser Benutzer hat keinen persönlichen Ordner
    .next = Nennen Sie mit --home DIR oder HOOKSWITCH_HOME einen Ordner.
problem-home-unwritable = In den Ordner lässt sich nicht schreiben: { $reason }
    .next = Nennen Sie mit --home DIR oder HOOKSWITCH_HOME einen anderen Ordner oder berichtigen Sie die Rechte.
problem-log-not-started = Die Protokolle ließen sich nicht beginnen: { $reason }
    .next = Melden Sie das: Es ist ein Fehler im Programm.
problem-log-unwritable = Das Protokoll lässt sich nicht schreiben: { $reason }
    .next = Berichtigen Sie die Rechte der Datei oder löschen Sie sie.

## Die Arbeitsfläche

problem-browser-not-opened = Es ließ sich kein Browser öffnen: { $reason }
    .next = Installieren Sie das Paket xdg-utils und wählen Sie einen Standardbrowser, oder öffnen Sie die Adresse, die „hookswitch open --print“ ausgibt.
problem-no-default-browser = Es ließ sich kein Browser öffnen: { $reason }
    .next = Wählen Sie in den Systemeinstellungen einen Standardbrowser, oder öffnen Sie die Adresse, die „hookswitch open --print“ ausgibt.
    .place = Browser
problem-not-on-this-system = Das kann Hookswitch auf diesem System noch nicht: { $what }
    .next = Alles andere funktioniert; Sie müssen nichts tun.
problem-tray-not-shown = Es gibt kein Symbol neben der Uhr: { $reason }
    .next = Öffnen Sie das Fenster mit „hookswitch open“; alles andere funktioniert.
    .place = Arbeitsfläche

## Headsets

problem-bad-descriptor = Sein Report-Deskriptor ist nicht zu verstehen: { $error }
    .next = Stecken Sie es neu an; hilft das nicht, schicken Sie dem Support ein Diagnosepaket.
problem-hid-access-denied = Das Headset lässt sich nicht öffnen: { $error }
    .next = Installieren Sie die udev-Regel des Pakets (70-hookswitch.rules) und stecken Sie das Headset neu an.
problem-hid-not-allowed = Das Headset lässt sich nicht öffnen: { $error }
    .next = Erlauben Sie Hookswitch in den Systemeinstellungen unter „Datenschutz & Sicherheit“ die Eingabeüberwachung und starten Sie es neu.
problem-hid-not-opened = Das Headset lässt sich nicht öffnen: { $error }
    .next = Beenden Sie andere Programme, die dieses Headset steuern, und stecken Sie es neu an.
problem-hid-unreadable = Das Headset ist da, aber das Lesen endet immer wieder sofort
    .next = Stecken Sie es neu an, notfalls an einem anderen Anschluss.
problem-lights-not-taken = Das Headset nimmt nicht an, was seine Leuchten anzeigen sollen: { $error }
    .next = Hookswitch versucht es weiter; hält es an, stecken Sie das Headset neu an.
problem-reports-unreadable = Das Headset schickt Reports, die nicht zu lesen sind: { $error }
    .next = Tut eine Taste nichts, schicken Sie dem Support ein Diagnosepaket („hookswitch bundle“).
problem-hid-unavailable = HID-Geräte lassen sich nicht auflisten: { $error }
    .next = Starten Sie Hookswitch neu; hilft das nicht, schicken Sie dem Support ein Diagnosepaket („hookswitch bundle“).
    .place = HID-Bibliothek
problem-hotplug-unavailable = Das System meldet nicht, wann Geräte kommen und gehen: { $error }
    .next = Starten Sie Hookswitch neu, nachdem Sie ein Headset angesteckt haben.
problem-usb-unavailable = USB-Geräte lassen sich nicht auflisten: { $error }
    .next = Bis das gelingt, gibt es keine Firmware-Aktualisierung; die Anrufsteuerung ist nicht betroffen. Schicken Sie dem Support ein Diagnosepaket („hookswitch bundle“).
    .place = USB-Bibliothek

## Anrufe

problem-no-such-call = Diesen Anruf gibt es nicht, oder er ist beendet
    .next = GET /v1/calls nennt die offenen Anrufe.
problem-not-your-call = Der Anruf gehört einem anderen Softphone
    .next = Nur das Softphone, das einen Anruf angelegt hat, darf ihn steuern.
problem-too-many-calls = Es sind schon { $limit } Anrufe offen
    .next = Beenden Sie vergangene Anrufe, bevor Sie einen neuen beginnen.
problem-wrong-call-state = Das geht nicht mit einem Anruf, der { $state ->
        [ringing] klingelt
        [answered] angenommen ist
        [held] gehalten wird
       *[ended] beendet ist
    }
    .next = Folgen Sie den Ereignissen des Anrufs: Ein gehaltener wird fortgesetzt, ein klingelnder angenommen.

## Aktualisierungen

problem-not-at-the-seat = An diesem Computer ist gerade jemand anders
    .next = Wechseln Sie am Bildschirm zu Ihrer eigenen Sitzung und versuchen Sie es dann noch einmal.
    .place = Firmware-Aktualisierung
problem-in-call = Das Headset ist in einem Gespräch
    .next = Installieren Sie die Aktualisierung nach dem Gespräch.
problem-cancel-strands = Die Firmware wird gerade geschrieben: Wird jetzt abgebrochen, arbeitet das Headset nicht, bis die Aktualisierung noch einmal installiert ist
    .next = Lassen Sie sie weiterlaufen; oder brechen Sie trotzdem ab („hookswitch update cancel --force“).
problem-cancel-too-late = Das Headset hat die ganze Firmware und übernimmt sie gerade
    .next = Lassen Sie es angesteckt; es ist fast fertig.
problem-device-returning = Das Headset kommt gerade von seiner Aktualisierung zurück
    .next = Warten Sie ein paar Sekunden.
problem-headset-gone = Das Headset war nicht angeschlossen, als es an der Reihe war
    .next = Schließen Sie es an und installieren Sie die Aktualisierung noch einmal.
problem-needs-firmware = Das Headset braucht seine Firmware noch einmal, weil seine Aktualisierung nicht zu Ende kam
    .next = Lassen Sie es an diesem USB-Anschluss und installieren Sie die Aktualisierung noch einmal.
    .place = USB-Anschluss { $place }
problem-needs-firmware-away = Das Headset wurde abgezogen, bevor seine Aktualisierung zu Ende war, und braucht seine Firmware noch einmal
    .next = Stecken Sie es an denselben USB-Anschluss und installieren Sie die Aktualisierung noch einmal.
    .place = USB-Anschluss { $place }
problem-method-unknown = Diese Version von Hookswitch kann die Firmware dieses Modells nicht schreiben: { $why }
    .next = Aktualisieren Sie es mit dem Programm seines Herstellers, oder sobald eine neuere Version von Hookswitch es kann.
problem-no-dfu-interface = Das Gerät zeigt keine Schnittstelle für Firmware-Aktualisierungen
    .next = Stecken Sie es mit seinem USB-Kabel an, unmittelbar und nicht über eine Ladeschale.
problem-version-not-comparable = Die Firmware-Version { $current } des Headsets lässt sich nicht mit { $target } vergleichen, der für es bestimmten
    .next = Sagen Sie es Ihrer IT-Abteilung: Die Richtlinie sollte eine Version von der Art nennen, die das Headset meldet.
problem-no-such-offer = Diese Aktualisierung gibt es nicht oder nicht mehr
    .next = Nennen Sie eine von denen, die „hookswitch update list“ ausgibt.
problem-no-update-running = Es läuft keine Aktualisierung
    .next = Es gibt nichts abzubrechen.
    .place = Firmware-Aktualisierung
problem-not-deferrable = Diese Aktualisierung lässt sich nicht aufschieben
    .next = Installieren Sie sie, wenn es passt; bis dahin bleibt sie in der Liste.
problem-deferrals-used = Diese Aktualisierung wurde so oft aufgeschoben, wie Ihre Firma es erlaubt ({ $most })
    .next = Sie beginnt von selbst, sobald kein Gespräch läuft; installieren Sie sie jetzt, wenn das besser passt.
problem-recovery-without-tenant = Seine Firmware kam von einer Firma, die diesen Rechner nicht mehr verwaltet
    .next = Lassen Sie das Headset an diesem USB-Anschluss und fragen Sie Ihre IT-Abteilung.
problem-package-not-kept = Das Firmware-Paket ist auf diesem Rechner nicht mehr vorhanden
    .next = Verbinden Sie diesen Rechner mit dem Netz Ihrer Firma und installieren Sie die Aktualisierung noch einmal.
problem-package-refused = Das Firmware-Paket wird abgelehnt: { $error }
    .next = { $resumed ->
        [true] Das Headset braucht seine Firmware weiterhin: Lassen Sie es an seinem USB-Anschluss. Ihre Firma muss ein passendes Paket veröffentlichen.
       *[false] Es wurde nichts an das Headset gesendet. Ihre Firma muss ein passendes Paket veröffentlichen.
    }
problem-queue-full = Es warten schon { $most } Aktualisierungen
    .next = Warten Sie, bis eine davon fertig ist, und installieren Sie dann diese.
problem-quit-strands = Ein Headset wird gerade aktualisiert: Endet Hookswitch jetzt, arbeitet es vielleicht nicht, bis die Aktualisierung noch einmal installiert ist
    .next = Warten Sie, bis die Aktualisierung fertig ist; sie dauert ein paar Minuten.
problem-update-cancelled = Die Aktualisierung wurde abgebrochen, bevor etwas an das Gerät ging
    .next = Starten Sie sie wieder, wann immer es passt.
problem-update-failed = { $why ->
        [cannot-open] Das Headset ließ sich für seine Aktualisierung nicht öffnen
        [stayed] Das Headset ging nicht in die Betriebsart, in der es Firmware annimmt
        [method] Das Headset nimmt auf diesem Weg keine Firmware an
        [unplugged] Das Headset wurde während der Aktualisierung abgezogen
        [not-accepted] Das Headset nahm die neue Firmware nicht an
        [old-version] Das Headset kam mit seiner alten Version wieder
        [other-version] Das Headset kam mit einer Version wieder, die niemand wollte
        [no-journal] Die Aktualisierung wurde angehalten, weil sich nicht aufschreiben lässt, was sie tut
       *[writing] Das Schreiben der Firmware auf das Headset schlug fehl
    }
    .next = { $device }
    .more = { $detail }
problem-update-forgotten = Die Aktualisierung wurde nicht begonnen: Jemand hat sie zurückgenommen, eine andere Person ist am Rechner, oder Hookswitch wurde neu gestartet
    .next = Installieren Sie sie noch einmal, falls „hookswitch update list“ sie anbietet.
problem-update-queued = Die Aktualisierung dieses Headsets wartet schon, bis sie an der Reihe ist
    .next = Sie beginnt von selbst.
problem-update-running = Die Aktualisierung dieses Headsets läuft
    .next = Warten Sie, bis sie fertig ist.
problem-update-stopped = Die Aktualisierung wurde abgebrochen
    .next = { $device }
    .more = { $detail }
problem-update-unknown = Niemand kann sagen, ob die Aktualisierung gelang: Das Headset hat seine Version nicht genannt
    .next = Stecken Sie das Headset noch einmal an denselben USB-Anschluss; seine Version entscheidet.
    .more = { $detail }

## Das Diagnosepaket

problem-bundle-not-written = Das Diagnosepaket lässt sich nicht schreiben: { $reason }
    .next = Nennen Sie mit --output FILE eine andere Datei.
problem-package-not-written = Das Paket lässt sich nicht schreiben: { $reason }
    .next = Nennen Sie mit --output FILE eine andere Datei.

## Von einer anderen Version gesagt oder abgelegt, in deren englischen Worten

problem-unheard-of = { $what }
    .next = { $next }
    .more = { $code }
