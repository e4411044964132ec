### Wörter für Werte, die Fenster, Tray und Terminal zeigen.

deployment-optional = Freiwillig, Sie entscheiden
deployment-persistent = Erforderlich; installiert wird, wenn Sie es sagen, und bis dahin werden Sie gefragt
deployment-automatic = Erforderlich; sie beginnt von selbst, wenn kein Gespräch läuft; Sie können sie einige Male aufschieben
deployment-silent = Erforderlich; sie wird von selbst installiert, in den Stunden, die Ihre Firma gewählt hat
next-notice = Sie beginnt von selbst um { $time }.
next-window = Sie beginnt von selbst um { $time }.
next-deferral = Aufgeschoben. Sie beginnt von selbst um { $time }.
next-asked = Aufgeschoben. Nach { $time } werden Sie wieder gefragt.
next-deadline = Ab { $time } beginnt sie von selbst.
next-retry = Sie gelang nicht. Um { $time } wird sie noch einmal versucht.
next-call = Sie beginnt, wenn das Gespräch zu Ende ist.
next-turn = Sie beginnt, wenn das andere Headset fertig ist.
next-company = Sie beginnt, wenn Ihr Unternehmen wieder erreichbar ist.
deferrals-left = { $count ->
    [0] Sie können sie nicht mehr aufschieben.
    [one] Sie können sie noch einmal aufschieben.
   *[other] Sie können sie noch { $count }-mal aufschieben.
}
deployment-recovery = Nötig, sonst arbeitet das Headset nicht

job-running = { $name } wird installiert: { $percent } %
# $headset, $before (String) – the headset it is for, and the one whose update comes first.
job-queued = { $name } für { $headset } wartet, bis { $before } fertig ist.
job-queued-next = { $name } für { $headset } ist als Nächstes an der Reihe.
job-cancelling = { $name }: Die Installation wird abgebrochen.
job-unplugged = { $name }: Das Headset wurde abgezogen. Stecken Sie es wieder an denselben USB-Anschluss, dann geht die Aktualisierung weiter.

phase-queued = Wartet, bis es an der Reihe ist …
phase-fetching = Firmware wird geholt …
phase-detaching = Das Headset wird zum Umschalten aufgefordert …
phase-waiting-for-dfu = Warten auf das Headset; lassen Sie es an diesem USB-Anschluss …
phase-waiting-for-call = Sie ist da und beginnt, wenn das Gespräch zu Ende ist …
phase-waiting-for-replug = Das Headset wurde abgezogen. Stecken Sie es wieder an denselben USB-Anschluss …
phase-cancelling = Wird abgebrochen …
phase-preparing = Das Headset wird vorbereitet …
phase-downloading = Firmware wird geschrieben …
phase-manifesting = Das Headset übernimmt sie …
phase-waiting-for-runtime = Warten, bis das Headset zurück ist …
phase-working = In Arbeit …

verdict-succeeded = Gelungen
verdict-failed = Fehlgeschlagen
verdict-unknown = Nicht bekannt

group-all-users = Alle Benutzer

headsets-unheard = Welche Headsets da sind, ist noch nicht bekannt
tenant-unheard = Ob eine Firma diesen Rechner verwaltet, ist noch nicht bekannt

no-updates-consumer = Keine Firma bietet für diesen Rechner Aktualisierungen an
no-updates-not-asked = Noch ist nichts bekannt: Die Firma war nicht erreichbar
no-updates-locked = Die Einstellungen für eine Firma lassen sich hier nicht nutzen: Es kann keine Aktualisierung angeboten werden
no-updates-last-known = Als die Firma zuletzt erreichbar war, gab es nichts Neueres
no-updates-no-headset = Kein Headset ist angeschlossen, das zu aktualisieren wäre
no-updates-none-newer = Für das, was angeschlossen ist, gibt es keine neuere Firmware

## Softphones und das Headset

softphone-asking = bittet um Erlaubnis
softphone-approved = erlaubt
softphone-denied = abgelehnt
decider-person = Sie
decider-environment = Umgebungsvariable
decider-machine = IT-Abteilung
decider-company = Firma
decider-token = sein Token
decided-by-person = Das haben Sie entschieden.
decided-by-environment = Das legt eine Umgebungsvariable fest.
decided-by-machine = Das legt Ihre IT-Abteilung fest.
decided-by-company = Ihre Firma hat es erlaubt.
decided-by-token = Es zeigte das Token, das nur Programme Ihres Kontos lesen können.
softphone-label = Es nennt sich „{ $label }“.
softphone-runs-scripts = Es führt beliebige Skripte aus: Was es darf, darf jedes davon.

keep-awake-reason = Die Firmware eines Headsets wird gerade geschrieben.
