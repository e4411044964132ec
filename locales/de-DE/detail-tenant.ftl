### Teile von Problemen mit Verzeichnis und Mandant. Ohne Punkt am Ende.

## Der Verzeichnisserver

detail-ldap-silent = keine Antwort binnen { $seconds } s auf: { $step }
detail-ldap-connect = Verbindungsaufbau
detail-ldap-tls = TLS-Handshake
detail-ldap-bind = Anmeldung
detail-ldap-search = Suche
detail-ldap-all-queries = alle Abfragen
detail-ldap-result = Ergebniscode { $code }
detail-ldap-result-said = Ergebniscode { $code }, { $words }
detail-ldap-unread = eine Antwort, die die Bibliothek nicht lesen kann
detail-ldap-query-not-encoded = Die Abfrage lässt sich nicht kodieren
detail-ldap-closed = Er hat die Verbindung geschlossen
detail-ldap-starttls-answer = Auf StartTLS kam eine andere Antwort
detail-ldap-message = eine Nachricht von { $bytes } Byte, höchstens { $most } werden gelesen
detail-ldap-total = insgesamt mehr als { $most } Byte
detail-ldap-depth = tiefer als { $most } verschachtelt
detail-ldap-shape = keine LDAP-Nachricht: { $shape }
detail-ldap-no-sequence = Sie beginnt nicht mit einer SEQUENCE
detail-ldap-length = Ihre Länge ist unbestimmt oder länger als vier Bytes
detail-ldap-no-number = Ihre Nummer fehlt
detail-ldap-unasked = eine Operation, nach der nicht gefragt war
detail-ldap-no-result = Ihr Ergebniscode oder ihre Texte fehlen
detail-ldap-not-utf8 = ein Text, der kein UTF-8 ist
detail-ldap-cut-off = Ein Element ist abgeschnitten
detail-ldap-long-tag = eine Tag-Nummer über 30
detail-ldap-indefinite = eine unbestimmte Länge
detail-no-certificate = Darin steht kein Zertifikat

## Abfragen (RFC 4515)

detail-filter-unexpected = Erwartet wird { $expected }, gefunden wurde { $found }
detail-filter-trailing = Das steht hinter dem Ende der Abfrage (eine öffnende Klammer fehlt, oder eine schließende ist zu viel)
detail-filter-too-deep = tiefer als { $most } verschachtelt
detail-filter-too-long = länger als { $most } Zeichen
detail-filter-escape = Auf `\` müssen zwei hexadezimale Ziffern folgen
detail-filter-double-star = zwei `*` hintereinander
detail-filter-star = Nach diesem Operator ist kein `*` erlaubt
detail-filter-open-in-value = `(` in einem Wert; schreiben Sie `\28`, oder schließen Sie vorher die Klammer
detail-filter-nul = ein NUL-Zeichen; schreiben Sie `\00`
detail-filter-end = das Ende
detail-filter-character = `{ $character }`
detail-filter-open = `(`
detail-filter-close = `)`
detail-filter-part-or-close = `(` eines weiteren Teils oder `)`
detail-filter-close-of-not = `)`, denn `!` hat einen einzigen Teil
detail-filter-attribute = der Name eines Attributs
detail-filter-attribute-or-operator = der Name eines Attributs, `&`, `|` oder `!`
detail-filter-attribute-option = eine Option des Attributs
detail-filter-attribute-or-rule = davor ein Attribut oder eine Vergleichsregel
detail-filter-rule-or-colon-equals = `:` und eine Vergleichsregel oder `:=`
detail-filter-name-or-comparison = ein Buchstabe, eine Ziffer oder `-` des Attributnamens, oder `=`, `>=`, `<=`, `~=`, `:=`
detail-filter-equals = `=`
detail-filter-colon-equals = `:=`
detail-filter-equals-of-colon-equals = `=` von `:=`
detail-filter-digit = eine Ziffer
detail-filter-no-leading-zero = eine Zahl ohne führende Nullen

## Die Verbindung zum Mandantenserver

detail-url-not-https = Sie ist nicht https
detail-url-more-than-an-address = Sie enthält einen Benutzernamen, ein Kennwort, eine Abfrage oder ein Fragment
detail-url-no-host = Sie nennt keinen Host
detail-report-host = dieser Rechner
detail-report-user = der Benutzer
detail-report-device = Headset { $name }
detail-report-update = Aktualisierung von { $name }
detail-report-event = ein Ereignis
detail-redirect-too-many = mehr als { $most } Weiterleitungen
detail-redirect-elsewhere = eine Weiterleitung an einen anderen Server
detail-request-failed = Die Anfrage schlug fehl
detail-answer-too-long = Die Antwort ist länger als { $most } Byte
detail-answer-not-understood = Zeile { $line }, Spalte { $column }: { $fault }
detail-json-ends = Sie endet zu früh
detail-json-none = Sie ist kein JSON
detail-json-fields = Ein Feld fehlt oder ist von anderer Art
detail-json-unread = Sie lässt sich nicht lesen
detail-token-ends = Sein Zugriffstoken gilt kürzer als { $seconds } s

## Das Repository des Mandanten

detail-policy-rolled-back = Version { $offered } wurde angeboten, Version { $in_force } ist in Kraft
detail-document-too-large = tenant.json hat { $bytes } Byte, höchstens { $most } werden gelesen
detail-root-too-large = root.json hat mehr als { $most } Byte
detail-target-not-listed = Version { $version } des Repositorys führt { $name } nicht auf
detail-target-name = Der Name ist kein einfacher Dateiname
detail-target-too-large = { $name } hat { $bytes } Byte, höchstens { $most } werden gelesen
detail-another-part = Der Server sandte einen anderen Teil der Datei als den verlangten
detail-another-length = { $name } hat { $bytes } Byte, unterschrieben waren { $signed }
detail-another-sha256 = Ihr SHA-256 ist { $found }, unterschrieben war { $signed }
detail-more-bytes = mehr als { $most } Byte
detail-file-lacking = Dem Repository fehlt eine Datei, die da sein muss

## tenant.json

detail-policy-json = tenant.json Zeile { $line }, Spalte { $column }: { $error }
detail-policy-schema = schema: Erwartet wird { $known }, gefunden wurde { $found }; dieses Programm ist zu alt oder zu neu für das Dokument
detail-policy-range = { $path }: Erwartet wird { $least } bis { $most }, gefunden wurde { $found }
detail-policy-count = { $path }: Erwartet werden { $least } bis { $most } Einträge, es sind { $found }
detail-policy-text = { $path }: Erwartet wird { $expected }
detail-policy-duplicate = { $path }: „{ $id }“ ist schon die Kennung von Eintrag { $first }
detail-policy-unknown-group = { $path }: Eine Gruppe „{ $id }“ gibt es in diesem Dokument nicht (führen Sie sie unter groups auf, oder verwenden Sie „all-users“)
detail-policy-no-directory = { $path }: Die Regel fragt ein Verzeichnis, das Dokument hat aber keinen Abschnitt ldap
detail-policy-brackets = { $path }: Die Klammern passen nicht zusammen (RFC 4515; schreiben Sie \28 und \29 für Klammern in einem Wert)
detail-policy-starttls-over-tls = { $path }: start_tls ist für Server mit ldap://, dieser hat schon ldaps://
detail-policy-password-in-the-clear = { $path }: Eine einfache Anmeldung würde ihr Kennwort unverschlüsselt senden; verwenden Sie ldaps:// oder start_tls
detail-policy-other-deployment = { $path }: nur mit deployment { $deployments }, hier steht „{ $found }“
detail-policy-empty-support = support: Erwartet wird wenigstens eines von name, email, phone, url
detail-expected-line = ein Text von 1 bis { $most } Zeichen ohne Steuerzeichen und unsichtbare Zeichen
detail-expected-distinguished-name = ein Distinguished Name von 1 bis 1024 Zeichen ohne Steuerzeichen und unsichtbare Zeichen
detail-expected-ldap-server = ldap://Host[:Port] oder ldaps://Host[:Port], höchstens 300 Zeichen
detail-expected-password = ein Text von 1 bis 1024 Zeichen
detail-expected-ca-pem = PEM mit wenigstens einem Block CERTIFICATE, höchstens 65536 Zeichen
detail-expected-slug = ein Text von 1 bis 64 Zeichen aus a-z, 0-9 und Bindestrichen im Inneren
detail-expected-group-slug = ein Text von 1 bis 64 Zeichen aus a-z, 0-9 und Bindestrichen im Inneren, nicht „all-users“
detail-expected-filter = ein LDAP-Filter in Klammern (RFC 4515), höchstens 4096 Zeichen in einer Zeile
detail-expected-placeholder = { $words } irgendwo im Filter; ohne es bekäme jeder dieselbe Antwort
detail-expected-bcd-version = eine Version wie in bcdDevice, etwa 1.20 (1 oder 2 Ziffern, ein Punkt, 2 Ziffern) oder 0x0a12, wo eine Ziffer größer als 9 ist
detail-expected-target = der Name eines veröffentlichten Pakets: 1 bis 128 Zeichen aus A-Z a-z 0-9 . _ -, nicht tenant.json
detail-expected-timestamp = ein Zeitpunkt mit Zeitzone (RFC 3339), etwa 2027-01-31T18:00:00Z
detail-expected-time-of-day = eine Uhrzeit von 00:00 bis 23:59
detail-expected-other-time = eine andere Uhrzeit als die des Anfangs: Zwischen beiden liegt keine Zeit
detail-expected-caller = ein Origin, wie Browser ihn senden (https://host, http nur auf dem eigenen Rechner, klein geschrieben, ohne Pfad, ohne Standardport), oder eine Programmkennung
detail-expected-email = benutzer@host, höchstens 254 Zeichen
detail-expected-url = eine Adresse mit https://, höchstens 2048 Zeichen
detail-answer-is-a-page = Es kam eine Webseite
detail-clock-behind = Sie geht gegenüber der des Mandantenservers { $hours } Stunden nach
detail-clock-ahead = Sie geht gegenüber der des Mandantenservers { $hours } Stunden vor
detail-url-share = Auf diesem System wird eine Freigabe eingehängt und durch den Ordner benannt, in den sie eingehängt ist
detail-folder-silent = { $seconds } s lang kam nichts
detail-folder-lacking = Er ist nicht da
# $status (String) – of HTTP, and what the server says to it.
detail-server-status = { $status }
detail-server-said = { $status }: { $words }
