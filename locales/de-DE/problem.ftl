### Was schiefging, und unter `.next`, was zu tun ist. Der Ort steht daneben.

## Einstellungen

problem-setting-invalid = Der Wert von { $key } ist nicht zu gebrauchen; er wird übergangen
    .next = { $kind ->
        [port] Schreiben Sie einen TCP-Port von 0 bis 65535.
        [origins] Schreiben Sie eine Liste von höchstens 64 Herkünften wie https://softphone.example.
        [language] Schreiben Sie ein Sprachkennzeichen wie de-DE.
        [https] Schreiben Sie eine Adresse, die mit https:// beginnt, ohne Kennwort, Abfrage und Sprungmarke.
        [tenant-id] Schreiben Sie 1 bis 128 Buchstaben, Ziffern, „-“, „_“ oder „.“.
        [token] Schreiben Sie 1 bis 4096 sichtbare ASCII-Zeichen.
        [sha256] Schreiben Sie den SHA-256 von root.json, 64 Hexadezimalziffern.
        [path] Schreiben Sie den vollständigen Pfad einer PEM-Datei.
        [user] Schreiben Sie 1 bis 256 Zeichen.
       *[level] Schreiben Sie eines von error, warn, info, debug, trace.
    }
problem-setting-managed = { $key } wird von Ihrer IT-Abteilung festgelegt und lässt sich hier nicht ändern
    .next = Entfernen Sie die Angabe hier oder bitten Sie Ihre IT-Abteilung, { $machine } zu ändern.
problem-setting-misspelt = Es gibt keine Einstellung { $key }; am nächsten kommt { $nearest }
    .next = Schreiben Sie { $nearest }; „hookswitch settings list“ zeigt alle.
problem-setting-unknown = Es gibt keine Einstellung { $key }
    .next = Entfernen Sie die Angabe; „hookswitch settings list“ zeigt alle, die es gibt.
problem-settings-newer = Die Einstellungsdatei hat das Schema { $schema }, dieser Agent kennt höchstens { $known }
    .next = Aktualisieren Sie den Agenten; bis dahin gelten die Einstellungen, die er kennt.
problem-settings-too-large = Die Einstellungsdatei hat { $bytes } Byte, gelesen werden höchstens { $limit }; sie wird übergangen
    .next = Sehen Sie nach, was sie gefüllt hat, oder löschen Sie sie: Dann gelten die Vorgaben.
problem-settings-unreadable = Zeile { $line } der Einstellungsdatei ist kein TOML; die Datei wird übergangen
    .next = Berichtigen Sie die Zeile: Name = Wert, Texte in Anführungszeichen.

## Ordner und Protokolle

problem-home-foreign = Der Ordner gehört einem anderen Benutzer
    .next = Nennen Sie mit --home DIR oder HOOKSWITCH_HOME einen eigenen Ordner oder berichtigen Sie den Besitzer.
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
    .next = Installieren Sie das Paket xdg-utils und wählen Sie einen Standardbrowser, oder öffnen Sie die Adresse, die „hookswitch open“ ausgibt.
problem-tray-no-session-bus = Es gibt kein Symbol neben der Uhr, weil der Nachrichtenbus der Arbeitsfläche nicht erreichbar ist: { $reason }
    .next = Öffnen Sie das Fenster mit „hookswitch open“; alles andere funktioniert.
