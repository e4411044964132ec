### Teile von Problemen des Agenten selbst und der Arbeitsumgebung. Ohne Punkt am Ende.

detail-bus-silent = Er antwortet nicht
detail-certificate-clock = Die Uhr steht vor 1970
detail-certificate-not-made = Ein Zertifikat lässt sich nicht erstellen: { $error }
detail-certificate-not-written = { $path } lässt sich nicht schreiben: { $error }
detail-certificate-ends = Das alte wäre bald abgelaufen
detail-certificate-refused = Das alte gilt nicht oder nicht für diesen Rechner: { $error }
detail-holder-program = { $name }, Prozess { $process }
detail-holder-unknown = einem anderen Programm
detail-holder-user = einem Programm des Benutzers { $user }
detail-no-agent = Es läuft kein Agent
detail-no-display = Es gibt keinen Bildschirm
detail-no-file = Es ist keine Datei
detail-no-page = Das ist keine Adresse einer Seite
detail-no-randomness = kein Zufall
detail-pem-exposed = Andere könnten { $path } lesen
detail-pem-none = { $path } ist kein PEM mit einem Zertifikat oder Schlüssel
detail-pem-unreadable = { $path } fehlt oder ist nicht lesbar: { $error }
detail-store-foreign = Sie gehört einem anderen Programm (Anwendungskennung { $application_id })
detail-store-link = Sie ist eine Verknüpfung
detail-store-newer = Ihre Version ist { $found }, dieses Programm kennt Versionen bis { $known }
detail-tray-ended = Der Thread der Taskleiste endete
