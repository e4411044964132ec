### Teile von Problemen mit Firmware-Aktualisierungen, in den Satz des Problems eingefügt. Ohne Punkt am Ende.

## Wie eine Aktualisierung über USB DFU 1.1 endete

detail-dfu-cancelled = abgebrochen { $phase }
detail-no-journal = Was sie tut, lässt sich nicht aufschreiben (siehe die anderen Probleme)
detail-dfu-cannot-open = Das Gerät am Anschluss { $port } lässt sich { $phase } nicht öffnen: { $error }
detail-dfu-did-not-detach = Das Gerät wechselte nach { $attempts } Versuchen nicht in den DFU-Modus; ziehen Sie es ab und stecken Sie es wieder an
detail-dfu-not-downloadable = Das Gerät nimmt im DFU-Modus keine Firmware nach DFU 1.1 an (bitCanDnload { $can_download }, bcdDFU { $bcd_dfu })
detail-dfu-reported = Das Gerät meldete { $status } im Zustand { $state } { $phase }, Versuch { $attempts }
detail-dfu-unexpected-state = Das Gerät war { $phase } im Zustand { $state }, wo DFU 1.1 einen anderen vorsieht, Versuch { $attempts }
detail-dfu-poll-timeout-too-long = Das Gerät verlangt { $phase } { $poll_timeout_ms } ms bis zur nächsten Anfrage; so lange wird nicht gewartet
detail-dfu-transfer = { $error }, { $phase }, Versuch { $attempts }
detail-dfu-bad-status-answer = Das Gerät antwortete { $phase } auf DFU_GETSTATUS mit { $bytes } Byte, die kein Status nach DFU 1.1 sind
detail-dfu-unplugged = Das Gerät verschwand { $phase } vom Bus, Versuch { $attempts }{ $written ->
        [true] ; seine Firmware ist unvollständig
       *[false] {""}
    }
detail-dfu-not-accepted = Das Gerät nahm die ganze Firmware an und kam im DFU-Modus wieder, { $attempts ->
        [one] einmal
       *[other] { $attempts }-mal
    }
detail-dfu-still-old-version = Das Gerät kam mit Version { $found } wieder (vorher: { $before }) statt mit { $expected }; es hat die neue Firmware nicht behalten
detail-dfu-other-version = Das Gerät kam mit Version { $found } wieder statt mit { $expected }; das Paket enthält nicht die Version, die es nennt
detail-dfu-late-version = Das Gerät meldet Version { $found }
detail-dfu-never-came-back = Das Gerät erschien { $phase } nicht wieder am Anschluss { $port }{ $another_seen ->
        [true] {" "}(ein anderes schon)
       *[false] {""}
    }
detail-dfu-version-unreadable = Das Gerät kam wieder, meldet aber { $bcd }, und das ist keine Version

## Was vom Gerät bekannt ist; ganze Sätze

detail-dfu-device-runtime = Das Headset arbeitet wie zuvor. Starten Sie die Aktualisierung wieder, wann es passt.
detail-dfu-device-other-version = Das Headset arbeitet mit dieser Version. Sagen Sie es Ihrer IT-Abteilung: Wer das Paket veröffentlicht hat, muss es berichtigen.
detail-dfu-device-dfu = Das Headset braucht seine Firmware noch einmal. Lassen Sie es an diesem USB-Anschluss und starten Sie die Aktualisierung noch einmal.
detail-dfu-device-unseen = Stecken Sie das Headset an denselben USB-Anschluss und starten Sie die Aktualisierung noch einmal; von dort wird es wiederhergestellt.

## Wo eine Aktualisierung steht

detail-dfu-detaching = beim Anfordern des DFU-Modus
detail-dfu-waiting-for-dfu = beim Warten auf den DFU-Modus
detail-dfu-preparing = beim Vorbereiten auf die Firmware
detail-dfu-downloading = beim Schreiben der Firmware
detail-dfu-manifesting = beim Übernehmen der Firmware
detail-dfu-waiting-for-runtime = beim Neustart

## bStatus, DFU 1.1 Abschnitt 6.1.2

detail-dfu-status = { $status ->
        [0] OK (kein Fehler)
        [1] errTARGET (die Datei ist nicht für dieses Gerät)
        [2] errFILE (die Datei besteht eine Prüfung des Herstellers nicht)
        [3] errWRITE (das Gerät kann seinen Speicher nicht beschreiben)
        [4] errERASE (das Löschen des Speichers misslang)
        [5] errCHECK_ERASED (der Speicher ist nicht gelöscht)
        [6] errPROG (das Programmieren des Speichers misslang)
        [7] errVERIFY (der Speicher enthält anderes, als geschrieben wurde)
        [8] errADDRESS (eine Adresse liegt außerhalb des Bereichs)
        [9] errNOTDONE (das Gerät hat nicht alle Daten erhalten)
        [10] errFIRMWARE (die Firmware ist beschädigt, das Gerät kann nicht in den Normalbetrieb)
        [11] errVENDOR (ein Fehler nach eigener Zählung des Herstellers)
        [12] errUSBR (ein unerwarteter USB-Reset)
        [13] errPOR (ein unerwarteter Reset durch Einschalten)
        [14] errUNKNOWN (das Gerät kennt den Grund nicht)
        [15] errSTALLEDPKT (das Gerät wies eine unerwartete Anfrage ab)
       *[other] bStatus { $status } (in DFU 1.1 nicht definiert)
    }

## USB-Anfragen

detail-usb-stall = Das Gerät wies die Anfrage ab (STALL)
detail-usb-no-device = Das Gerät verschwand vom Bus
detail-usb-timeout = Das Gerät antwortete nicht rechtzeitig
detail-usb-access-denied = Das Betriebssystem verweigerte den Zugriff auf das Gerät
detail-usb-busy = Ein anderes Programm oder ein Treiber belegte die Schnittstelle
detail-usb-package-unread = Das Firmware-Paket ließ sich nicht vom Datenträger lesen
detail-usb-not-sent = Die Anfrage wurde nicht gesendet, weil sich ihr Journal nicht schreiben ließ
detail-usb-io = Ein-/Ausgabefehler { $number }

## Reports

detail-report-empty = der Input-Report ist leer
detail-report-unknown = Input-Report { $report } kommt im Deskriptor nicht vor
detail-report-too-short = Input-Report { $report } hat { $came } Bytes Inhalt statt { $expected }

detail-device-unanswering = es antwortet nicht
detail-device-not-open = es ist nicht geöffnet

## Warum eine Aktualisierung abgelehnt wird, bevor etwas gesendet ist

detail-plan-no-dfu-interface = Das Gerät { $product } am Anschluss { $port } hat keine DFU-Schnittstelle
detail-plan-in-dfu-mode = Das Gerät { $product } am Anschluss { $port } ist schon im DFU-Modus
detail-plan-cannot-download = Das Gerät am Anschluss { $port } sagt, dass es keine Firmware annimmt (bitCanDnload ist 0)
detail-plan-runtime-broken = Das Gerät am Anschluss { $port } kommt aus DFU_DETACH nicht heraus: Bringen Sie es von Hand in den DFU-Modus, von dort wird es aktualisiert
detail-plan-specification = Das Gerät am Anschluss { $port } spricht DFU { $bcd_dfu }; hier werden nur 0x0100, 0x0101 und 0x0110 gesprochen
detail-plan-empty-image = Es gibt nichts zu senden
detail-plan-other-device = Nach ihrem DFU-Suffix ist die Firmware für { $suffix }, das Gerät ist aber { $runtime }{ $count ->
        [0] {""}
       *[other] , im DFU-Modus { $dfu_pids }
    }
detail-plan-other-version = Nach ihrem DFU-Suffix hat die Firmware Version { $suffix }, installiert werden soll aber { $wanted }
detail-plan-reenumerate-timeout = { $timeout_ms } ms für die Rückkehr, erwartet werden { $least_ms } bis { $most_ms }
