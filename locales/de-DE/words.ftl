### Wörter für Werte, die Fenster, Tray und Terminal zeigen.

deployment-optional = Freiwillig, Sie entscheiden
deployment-persistent = Erforderlich, Sie werden erinnert
deployment-automatic = Von selbst, in einem ruhigen Moment
deployment-silent = Von selbst, ohne zu fragen

phase-fetching = Firmware wird geholt …
phase-detaching = Das Headset wird zum Umschalten aufgefordert …
phase-waiting-for-dfu = Warten auf das Headset; ist es abgezogen, stecken Sie es wieder an …
phase-preparing = Das Headset wird vorbereitet …
phase-downloading = Firmware wird geschrieben …
phase-manifesting = Das Headset übernimmt sie …
phase-waiting-for-runtime = Warten, bis das Headset zurück ist …
phase-working = In Arbeit …

group-all-users = Alle Benutzer

## Webseiten und das Headset

softphone-asking = bittet
softphone-approved = erlaubt
softphone-denied = abgelehnt
decider-person = Ihnen
decider-environment = Umgebung
decider-machine = IT-Abteilung
decider-company = Firma
decided-by-person = Das haben Sie entschieden.
decided-by-environment = Das legt eine Umgebungsvariable fest.
decided-by-machine = Das legt Ihre IT-Abteilung fest.
decided-by-company = Ihre Firma hat es erlaubt.
