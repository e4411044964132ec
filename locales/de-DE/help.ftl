### Was die Befehlszeile über sich sagt: `help` ist das Programm, `help-<Befehl>` ein Befehl, die Attribute sind seine
### Argumente. Ein Terminal hat 80 Spalten: Eine Zeile zu einer Option darf 56 breit sein.

help-layout =
    .usage = Aufruf
    .commands = Befehle
    .arguments = Argumente
    .options = Optionen
    .options-placeholder = OPTIONEN
    .command-placeholder = BEFEHL
    .exit-status = Exit-Status: 0 erledigt, 1 misslungen, 2 falscher Aufruf, 75 später erneut.

help =
    Der offene Headset-Hub: Anrufsteuerung, Firmware und Richtlinien für
    USB-Headsets jedes Herstellers.

    Ohne Befehl läuft der Agent.
    .headless =
        Ohne Symbol und Hinweise: für Server, Tests und Systeme
        ohne Arbeitsfläche
    .minimized = Beim Start nichts öffnen, wie der Autostart es tut
    .rest-port =
        Wo Softphones den Agenten auf 127.0.0.1 finden; 0 = ein
        freier Port; sonst gilt die Einstellung `rest_port`
    .home =
        Einstellungen, Daten, Protokolle und Sockets unter DIR
        ablegen; sonst gilt HOOKSWITCH_HOME, dann die Ordner
        des Systems
    .language =
        Sprache aller Texte, etwa de-DE; sonst gilt die
        Einstellung `language`, dann die Sprache des Systems
    .help = Diese Hilfe zeigen
    .version = Die Version zeigen

help-run = Den Agenten ausführen
    .headless = { help.headless }
    .minimized = { help.minimized }
    .rest-port = { help.rest-port }

help-devices = Headsets auflisten und ob sie nutzbar sind
    .json =
        Ein JSON-Dokument (schemas/devices.schema.json); mit
        --watch eines je Zeile
    .watch =
        Nach jeder Änderung neu ausgeben, bis zum Abbruch;
        braucht einen laufenden Agenten

help-devices-use = Dieses Headset für Anrufe verwenden, sofort und künftig
    .device = Wie `hookswitch devices` sie schreibt

help-descriptor = HID-Report-Deskriptor und seine Anrufsteuerung erklären
    .file =
        Hex-Text oder rohe Bytes, höchstens 1 MiB, oder ein Knoten
        wie /dev/hidraw3
    .json = Ein JSON-Dokument (schemas/descriptor.schema.json)

help-update = Firmware aktualisieren: auflisten, installieren, aufschieben

help-update-list = Angebotene Aktualisierungen der Headsets auflisten
    .json = Ein JSON-Dokument (schemas/update-list.schema.json)

help-update-history = Wie die letzten Aktualisierungen hier ausgingen
    .json = Ein JSON-Dokument (schemas/update-history.schema.json)

help-update-install = Eine Aktualisierung installieren und das Ergebnis abwarten
    .offer =
        Wie `hookswitch update list` sie ausgibt; kann entfallen, wenn es
        nur eine gibt. Wird gerade ein anderes Headset aktualisiert, wartet
        sie, bis sie an der Reihe ist

help-update-recover = Einem Headset ohne Firmware diese wieder geben
    .offer =
        Wie `hookswitch update list` sie ausgibt; kann entfallen, wenn es
        nur ein solches Headset gibt

help-update-defer = Eine Aktualisierung aufschieben; optionale bis zur nächsten Version
    .offer =
        Wie `hookswitch update list` sie ausgibt; kann entfallen, wenn es
        nur eine gibt

help-update-cancel = Die Aktualisierung abbrechen, die läuft, oder eine, die wartet
    .offer =
        Wie `hookswitch update list` sie ausgibt; ohne Angabe die, die
        läuft
    .force =
        Auch während die Firmware geschrieben wird: Das
        Headset arbeitet dann nicht, bis die
        Aktualisierung noch einmal installiert ist

help-firmware = Firmware-Pakete ansehen und herstellen

help-firmware-inspect = Ein Paket streng wie beim Aktualisieren prüfen; seine Regeln ausgeben
    .package = Das Paket, ein Zip von höchstens 64 MiB
    .json = Die Regeln als JSON (dfu/schema/rules.schema.json)

help-firmware-pack = Ein Paket aus rules.json und den dort genannten Dateien packen
    .rules =
        rules.json, höchstens 64 KiB; die dort genannten Dateien, jede
        höchstens 64 MiB, liegen daneben
    .output = Paket, das entsteht; ein vorhandenes wird ersetzt

help-softphones = Welche Webseiten und Programme das Headset nutzen dürfen

help-softphones-list = Die auflisten, die bitten, dürfen oder nicht dürfen
    .json = Ein JSON-Dokument (schemas/softphones.schema.json)

help-softphones-approve = Eines das Headset nutzen lassen, sofort und künftig
    .softphone =
        Wie `hookswitch softphones list` es schreibt: eine Seite als
        https://softphone.example, ein Programm mit seinem Pfad

help-softphones-revoke = Das zurücknehmen, oder ein bittendes ablehnen
    .softphone = Wie `hookswitch softphones list` es schreibt

help-groups = Die Gruppen des Benutzers auflisten, jede mit Grund
    .json = Ein JSON-Dokument (schemas/groups.schema.json)

help-status = Zeigen, was geht, was nicht geht und was dann zu tun ist
    .json = Ein JSON-Dokument (schemas/status.schema.json)

help-poll = Die Firma jetzt fragen statt erst beim nächsten Mal

help-bundle = Diagnosepaket für den Support schreiben, ohne Geheimnisse
    .output =
        Zip-Datei, die entsteht; sonst hookswitch-bundle.zip in
        diesem Ordner
    .preview =
        Nur auflisten, was darin wäre, als JSON
        (schemas/bundle.schema.json)

help-service = Sich für alle Konten dieses Rechners um die Headsets kümmern

help-service-run = Den Dienst ausführen; das tut die Dienstverwaltung des Systems

help-settings = Einstellungen lesen und ändern

help-settings-list = Alle Einstellungen mit Wert und Herkunft auflisten
    .json = Ein JSON-Dokument (schemas/settings.schema.json)

help-settings-get = Den Wert einer Einstellung ausgeben
    .name = Etwa log_level; `hookswitch settings list` gibt alle Namen aus

help-settings-set = Eine Einstellung des Benutzers ändern
    .machine = Für alle an diesem Rechner setzen, als root
    .name = { help-settings-get.name }
    .value =
        Der neue Wert, eine Liste mit Kommas; fehlt er, wird die
        Einstellung aus der Datei entfernt

help-certificate = Das Zertifikat der Tür für Softphones zeigen

help-certificate-show =
    Das Zertifikat (PEM) ausgeben, dem Softphones und Browser vertrauen
    müssen, und wo es liegt

help-open = Das Fenster im Browser öffnen
    .print =
        Die Adresse ausgeben statt öffnen; sie gilt einmal und
        eine Minute lang

help-completions = Skript für die Vervollständigung in einer Shell ausgeben
    .shell = bash, elvish, fish, powershell oder zsh

help-help = Diese Hilfe oder die eines Befehls zeigen
    .command = Etwa `update install`; ohne ihn die Hilfe zum Programm
