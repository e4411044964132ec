# Probleme von Datenbank, Verzeichnis und Mandant. Der Ort steht daneben; $detail ist technisch: ein Text aus detail-*.ftl oder
# die Worte des Systems, einer Bibliothek oder eines Servers, wie sie sind.

## Datenbank

problem-store-damaged = Die Datenbank des Agenten ist beschädigt: { $detail }
    .next = Starten Sie den Agenten neu: Er legt die beschädigte Datei beiseite und beginnt eine neue.
problem-store-mended = Die Datenbank des Agenten war beschädigt; sie liegt jetzt in { $kept }, eine neue wurde begonnen
    .next = { $journal ->
        [lost] Welche Aktualisierungen nicht zu Ende kamen, ist vergessen: Arbeitet ein Headset nicht mehr, senden Sie die verschobene Datei an den Support.
       *[whole] Es ist nichts zu tun. Noch nicht übermittelte Meldungen stehen in der verschobenen Datei.
    }
problem-store-newer = Die Datenbank des Agenten stammt von einer neueren Version dieses Programms: { $detail }
    .next = Installieren Sie diese Version wieder, oder verschieben Sie die Datei, um neu zu beginnen.
problem-store-foreign = Die Datei am Platz der Datenbank gehört nicht dem Agenten: { $detail }
    .next = Verschieben Sie sie, oder starten Sie mit einem anderen Ordner (--home).
problem-store-in-use = Ein anderer Prozess benutzt die Datenbank des Agenten
    .next = Beenden Sie den anderen Agenten, oder starten Sie diesen mit einem anderen Ordner (--home).
problem-store-full = Der Datenträger ist voll: Der Agent kann seine Datenbank nicht schreiben
    .next = Schaffen Sie Platz.
problem-store-unwritable = Die Datenbank des Agenten lässt sich nicht zum Schreiben öffnen: { $detail }
    .next = Geben Sie dem Benutzer des Agenten dort Schreibrecht, oder starten Sie mit einem anderen Ordner (--home).
problem-store-failed = Die Datenbank des Agenten hat versagt: { $detail }
    .next = Prüfen Sie den Datenträger. Ist er in Ordnung, starten Sie den Agenten neu und senden Sie das Protokoll an den Support.

## Verzeichnis

problem-directory-address = Die Adresse des Verzeichnisservers ist nicht ldap://Host[:Port] oder ldaps://Host[:Port]
    .next = Berichtigen Sie die Adresse des Servers in der Richtlinie des Mandanten.
problem-directory-authority = Die Zertifizierungsstelle für das Verzeichnis ist nicht brauchbar: { $detail }
    .next = Tragen Sie ein PEM-Zertifikat in die Richtlinie des Mandanten ein.
problem-directory-bind = Der Verzeichnisserver hat die Anmeldung abgelehnt: { $detail }
    .next = Prüfen Sie, welche Arten der Anmeldung der Server erlaubt.
problem-directory-certificate = Das Zertifikat des Verzeichnisservers wurde abgelehnt: { $detail }
    .next = Geben Sie dem Server ein Zertifikat für diesen Namen, oder tragen Sie seine Zertifizierungsstelle in die Richtlinie ein.
problem-directory-credentials = Der Verzeichnisserver hat Name oder Kennwort abgelehnt: { $detail }
    .next = Berichtigen Sie Anmeldename und Kennwort in der Richtlinie des Mandanten.
problem-directory-empty-bind = Der Anmeldename oder das Kennwort für das Verzeichnis ist leer
    .next = Geben Sie beides an, oder melden Sie sich anonym an.
problem-directory-filter = Die Abfrage der Gruppe { $group } ist bei Zeichen { $column } nicht lesbar: { $detail }
    .next = Berichtigen Sie die Abfrage in der Richtlinie des Mandanten (RFC 4515).
    .place = tenant.json, Gruppe { $group }, Zeichen { $column }
problem-directory-missing = Die Richtlinie des Mandanten hat Gruppen mit Verzeichnisabfrage, nennt aber kein Verzeichnis
    .next = Tragen Sie das Verzeichnis in die Richtlinie des Mandanten ein.
problem-directory-plaintext = Ein Kennwort für das Verzeichnis müsste unverschlüsselt über das Netz gehen
    .next = Verwenden Sie ldaps:// oder StartTLS: Über einfaches ldap:// wird nie ein Kennwort gesendet.
problem-directory-protocol = Der Verzeichnisserver spricht nicht wie erwartet LDAP: { $detail }
    .next = Prüfen Sie, ob unter dieser Adresse ein Verzeichnisserver läuft.
problem-directory-query = Das Verzeichnis hat die Abfrage der Gruppe { $group } abgelehnt: { $detail }
    .next = Berichtigen Sie die Abfrage oder ihre Basis in der Richtlinie, oder die Zugriffsregeln des Servers.
    .place = { $server }, Gruppe { $group }
problem-directory-starttls = Der Verzeichnisserver hat StartTLS abgelehnt: { $detail }
    .next = Verwenden Sie ldaps://, oder erlauben Sie StartTLS am Server.
problem-directory-timeout = Der Verzeichnisserver hat nicht rechtzeitig geantwortet: { $detail }
    .next = Prüfen Sie den Server und die Firewall. Die zuletzt bekannten Gruppen gelten weiter.
problem-directory-tls = Zum Verzeichnisserver kommt keine TLS-Verbindung zustande: { $detail }
    .next = Prüfen Sie, ob dieser Port TLS spricht (ldaps meist 636, ldap 389).
problem-directory-unreachable = Der Verzeichnisserver ist nicht erreichbar: { $detail }
    .next = Prüfen Sie das Netz und den Namen des Servers. Die zuletzt bekannten Gruppen gelten weiter.
problem-directory-user = Der Benutzer hat keinen Namen, nach dem das Verzeichnis gefragt werden könnte
    .next = Tragen Sie den Namen des Benutzers in den Einstellungen ein, oder melden Sie sich mit einem an.

## Mandant: Einstellungen und Ordner

problem-tenant-url = Die Adresse des Mandanten ist nicht brauchbar: { $detail }
    .next = Setzen Sie SERVER_URL auf eine Adresse, die mit https:// beginnt, oder für einen Ordner mit file://.
problem-tenant-pin = Der festgelegte Vertrauensanker besteht nicht aus 64 hexadezimalen Ziffern
    .next = Setzen Sie ihn auf den SHA-256-Wert der root.json des Mandanten (hookswitch-tenant init gibt ihn aus).
problem-tenant-ca = Die Zertifizierungsstelle des Mandanten ist nicht brauchbar: { $detail }
    .next = Nennen Sie eine PEM-Datei mit mindestens einem Zertifikat.
problem-tenant-trust = TLS lässt sich nicht einrichten: { $detail }
    .next = Installieren Sie die Zertifizierungsstellen des Systems (Debian: ca-certificates), oder legen Sie die des Mandanten fest.
    .place = Vertrauensspeicher des Rechners
problem-tenant-data = Der Agent kann nicht aufbewahren, was er vom Mandanten bekommt: { $detail }
    .next = Schaffen Sie Platz, und geben Sie dem Benutzer des Agenten dort Schreibrecht.
problem-tenant-not-enrolled = Die Richtlinie lässt sich erst prüfen, wenn der Agent angemeldet ist
    .next = Es ist nichts zu tun: Der Agent meldet sich zuerst an.
problem-tenant-report = Eine Meldung an den Mandanten lässt sich nicht schreiben: { $detail }
    .next = Senden Sie das Protokoll an den Support.
    .place = Agent

## Mandant: Verbindung

problem-tenant-unreachable = Der Mandantenserver ist nicht erreichbar: { $detail }
    .next = Prüfen Sie das Netz und SERVER_URL. Der Agent versucht es von selbst wieder.
problem-tenant-timeout = Der Mandantenserver hat nicht rechtzeitig geantwortet: { $detail }
    .next = Prüfen Sie das Netz und den Server. Der Agent versucht es von selbst wieder.
problem-tenant-certificate = Das Zertifikat des Mandantenservers wurde abgelehnt: { $detail }
    .next = In einem Gästenetz melden Sie sich zuerst im Browser an. Sonst geben Sie dem Server ein Zertifikat für diesen Namen, oder nennen Sie die Datei der Stelle, die es unterschrieben hat: Einstellung tenant_ca oder TENANT_CA in der Umgebung.
problem-tenant-certificate-time = Das Zertifikat des Mandantenservers gilt zur Zeit dieses Rechners nicht: { $detail }
    .next = Prüfen Sie Datum und Uhrzeit dieses Rechners. Stimmen sie, braucht der Server ein neues Zertifikat.
problem-tenant-proof = Der Mandantenserver nimmt die Unterschrift dieses Rechners nicht an: { $detail }
    .next = Zunächst ist nichts zu tun: Der Agent meldet sich von selbst neu an. Bleibt es so, prüfen Sie, ob unterwegs etwas die Anfragen verändert.
problem-tenant-key = Dieser Rechner hat keinen Schlüssel, den er dem Mandanten zeigen könnte
    .next = Starten Sie den Agenten neu: Er erzeugt einen Schlüssel. Bleibt es so, senden Sie das Protokoll an den Support.
    .place = Datenbank des Agenten
problem-tenant-host-key = Der Mandant kennt diesen Rechner unter einem anderen Schlüssel: Ein anderer Rechner ist unter seiner Kennung angemeldet, oder dieser hat seinen Schlüssel verloren
    .next = Fragen Sie die IT. Hat dieser Rechner seinen Schlüssel verloren, führt sie aus: hookswitch-tenant hosts reset { $system_id }. Danach meldet sich der Agent von selbst an.
problem-tenant-agent-old = Der Mandantenserver braucht einen neueren Agenten: { $detail }
    .next = Aktualisieren Sie Hookswitch auf diesem Rechner.
problem-tenant-server-old = Der Mandantenserver kennt Version { $contract } der Vereinbarung nicht
    .next = Aktualisieren Sie hookswitch-tenant auf dem Server, und prüfen Sie SERVER_URL.
problem-host-copied = Die Daten des Agenten wurden von einem anderen Rechner kopiert, Kennung { $original }. Dieser Rechner hat jetzt die Kennung { $own }
    .next = Es ist nichts zu tun. Aus einem Abbild installiert? Lassen Sie den Datenordner des Agenten darin weg.
    .place = Kennung des Rechners
problem-tenant-redirect = Der Mandantenserver oder etwas auf dem Weg dorthin verweist den Agenten woandershin: { $detail }
    .next = In einem Gästenetz melden Sie sich zuerst im Browser an. Sonst setzen Sie SERVER_URL auf die endgültige https://-Adresse.
problem-tenant-unauthorized = Der Mandantenserver nimmt die Zugangsdaten des Agenten nicht an: { $detail }
    .next = Prüfen Sie TENANT_ID und TENANT_TOKEN. Der Agent meldet sich von selbst neu an.
problem-tenant-server-error = Der Mandantenserver hat versagt oder gerade keine Zeit: { $detail }
    .next = Sehen Sie nach dem Server. Der Agent versucht es von selbst wieder.
problem-tenant-rejected = Der Mandantenserver hat die Anfrage abgelehnt: { $detail }
    .next = Prüfen Sie, ob die Versionen von Agent und Server zusammenpassen.
problem-tenant-report-refused = Der Mandant nimmt nicht an, was dieser Rechner meldet: { $what }: { $said }
    .next = Es fehlt im Bestand des Unternehmens. Prüfen Sie, ob die Versionen von Agent und Server zusammenpassen, und senden Sie das Protokoll an den Support.
problem-tenant-answer = Der Mandantenserver hat eine unbrauchbare Antwort gegeben: { $detail }
    .next = Prüfen Sie, ob unter SERVER_URL ein Hookswitch-Mandant läuft und nichts unterwegs seine Antworten verändert. Stimmt beides, muss der Server in Ordnung gebracht werden.

## Mandant: was unterschrieben ist

problem-tenant-root = Der Mandant hat einen anderen Vertrauensanker als den festgelegten: SHA-256 { $found } statt { $pinned }
    .next = Wurde der Mandant neu eingerichtet, setzen Sie TENANT_ROOT und entfernen Sie Mandantenordner und Datenbank des Agenten. Sonst fragen Sie die IT.
problem-tenant-expired = Die Richtlinie des Mandanten wurde nicht rechtzeitig erneuert: { $detail }
    .next = Veröffentlichen Sie sie neu (hookswitch-tenant publish), und prüfen Sie die Uhr dieses Rechners.
problem-tenant-rolled-back = Der Mandant bietet eine ältere Richtlinie an als die geltende: { $detail }
    .next = Prüfen Sie den Server oder den Ordner: Eine Sicherung wurde zurückgespielt, oder jemand spielt alte Dateien ab. Veröffentlichen Sie neu.
problem-tenant-signature = Die Richtlinie des Mandanten ist nicht vom Mandanten unterschrieben: { $detail }
    .next = Prüfen Sie den Server oder den Ordner: Seine Dateien wurden verändert oder mit anderen Schlüsseln unterschrieben.
problem-tenant-oversize = Im Bestand des Mandanten ist eine Datei zu groß: { $detail }
    .next = Prüfen Sie die Dateien des Mandanten.
problem-tenant-mismatch = Die Dateien des Mandanten passen nicht zusammen: { $detail }
    .next = Veröffentlichen Sie neu. Bleibt es dabei, prüfen Sie, was zwischen Agent und Server liegt.
problem-tenant-not-found = Im Bestand des Mandanten fehlt eine Datei
    .next = Veröffentlichen Sie neu.
problem-tenant-clock = Die Uhr dieses Rechners ging zurück: Das Alter der Richtlinie ist nicht zu beurteilen: { $detail }
    .next = Stellen Sie die Uhr. Ging sie vorher falsch, entfernen Sie latest_known_time.json aus dem tuf-Ordner des Agenten.
problem-tenant-metadata = Der Bestand des Mandanten ist nicht zu verstehen: { $detail }
    .next = Prüfen Sie die Dateien des Mandanten, und veröffentlichen Sie neu.
problem-tenant-policy-invalid = Die Richtlinie des Mandanten ist ungültig: { $detail }
    .next = Berichtigen Sie das Richtliniendokument (veröffentlicht als tenant.json) und veröffentlichen Sie neu. Die letzte gute Richtlinie gilt weiter.
problem-tenant-target-unknown = Der Bestand des Mandanten bietet dieses Paket nicht an: { $detail }
    .next = Veröffentlichen Sie das Paket, oder berichtigen Sie seinen Namen in der Richtlinie.
problem-tenant-intercepted = Statt des Mandantenservers antwortet etwas auf dem Weg dorthin: { $detail }
    .next = Öffnen Sie im Browser irgendeine Seite und melden Sie sich in diesem Netz an (Hotel, Zug, Gäste-WLAN), oder sagen Sie der IT Bescheid. Der Agent versucht es von selbst wieder.
problem-clock-wrong = Die Uhr dieses Rechners geht anscheinend falsch: { $detail }
    .next = Stellen Sie Datum und Uhrzeit ein, am besten automatisch. Der Agent macht dann von selbst weiter.
problem-tenant-folder-unpinned = Nirgends steht, wessen Unterschrift im Ordner { $folder } zählt
    .next = Setzen Sie TENANT_ROOT auf das, was hookswitch-tenant init ausgegeben hat: den SHA-256 von metadata/1.root.json.
problem-tenant-folder-unreadable = Der Ordner der Firma ist nicht lesbar: { $detail }
    .next = Prüfen Sie, ob die Freigabe eingehängt ist und das Konto des Agenten sie lesen darf. Der Agent versucht es von selbst wieder.
problem-tenant-folder-not-a-file = Im Ordner der Firma liegt etwas anderes als eine Datei
    .next = Kopieren Sie dorthin, was hookswitch-tenant publish gemacht hat, so wie es ist: Ordner und Dateien, keine Verknüpfungen.
problem-tenant-folder-takes-nothing = Der Mandant ist ein Ordner: Er nimmt keine Meldungen an
    .next = Es ist nichts zu tun.
