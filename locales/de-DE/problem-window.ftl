### Was im Fenster und an der Tür für Softphones nicht ging, und in `.next`, was zu tun ist.

## Was eine Schaltfläche nicht konnte

problem-window-expired = Diese Seite ist zu alt, um etwas zu ändern
    .next = Öffnen Sie das Fenster neu aus der Taskleiste oder mit „hookswitch open“.
    .place = Fenster
problem-window-request = Die Seite wollte etwas, das es nicht gibt
    .next = Laden Sie die Seite neu.
problem-window-stopping = Hookswitch wird gerade beendet
    .next = Starten Sie es neu.
problem-window-not-opened = Das Fenster lässt sich nicht öffnen: { $error }
    .next = Starten Sie Hookswitch neu.

## Die Tür für Softphones

problem-rest-port-taken = Softphones können sich nicht verbinden: Port { $port } ist belegt von { $holder }
    .next = Softphones können sich verbinden, sobald dieses Programm endet. Sonst wählen Sie einen anderen Port, etwa mit „hookswitch settings set rest_port 32019“.
problem-rest-not-listening = Softphones können sich nicht verbinden: { $error }
    .next = Es wird von selbst noch einmal versucht. Hilft das nicht, wählen Sie einen anderen Port, etwa mit „hookswitch settings set rest_port 32019“.
problem-rest-plain-closed = Softphones, die nur HTTP ohne Verschlüsselung kennen, können sich nicht verbinden: Port { $port } ist nicht zu haben ({ $why })
    .next = Sie können sich verbinden, sobald er frei ist. Er liegt immer eins unter rest_port: Um beide zu verlegen, wählen Sie einen anderen, etwa mit „hookswitch settings set rest_port 32028“.
problem-rest-certificate = Softphones können sich nicht verbinden: Es gibt kein Zertifikat ({ $error })
    .next = Machen Sie den Ordner für sich beschreibbar; dann geht es von selbst weiter.
problem-rest-endpoint-file = Softphones können sich nicht verbinden: Ihre Datei lässt sich nicht schreiben ({ $error })
    .next = Machen Sie den Ordner für sich beschreibbar; dann geht es von selbst weiter.
problem-certificate-renewed = Das Zertifikat für Softphones wurde neu erstellt: { $why }
    .next = Wo dem alten vertraut wurde, vertrauen Sie nun dieser Datei.

## Softphones, die um Erlaubnis bitten

problem-softphone-locked = { $by ->
        [company] Ihre Firma hat { $softphone } zugelassen
        [environment] Eine Umgebungsvariable legt fest, welche Softphones das Headset nutzen dürfen
       *[machine] Ihre IT-Abteilung legt fest, welche Softphones das Headset nutzen dürfen
    }
    .next = { $by ->
        [company] Bitten Sie die IT der Firma, es zurückzunehmen.
        [environment] Ändern Sie sie dort, wo Hookswitch gestartet wird.
       *[machine] Bitten Sie Ihre IT-Abteilung, es zu ändern.
    }
problem-softphone-no-origin = Das benennt weder eine Webseite noch ein Programm
    .next = Schreiben Sie eine Seite als https://softphone.example (http nur für diesen Rechner, ohne Pfad), ein Programm mit seinem ganzen Pfad, wie „hookswitch softphones list“ sie schreibt.
problem-no-such-device = Ein solches Headset gibt es hier nicht
    .next = „hookswitch devices“ zeigt, welche angesteckt sind.
problem-headset-not-kept = Die Wahl des Headsets lässt sich nicht merken: { $reason }
    .next = Berichtigen Sie die Datei oder ihre Rechte und wählen Sie noch einmal.
problem-no-such-softphone = Dieses Softphone bittet nicht um das Headset und ist nicht zugelassen
    .next = „hookswitch softphones list“ zeigt, welche bitten und welche zugelassen sind.
problem-softphone-not-kept = Das gilt, bis Hookswitch endet; merken lässt es sich nicht: { $reason }
    .next = Berichtigen Sie die Datei oder ihre Rechte und entscheiden Sie dann noch einmal.
