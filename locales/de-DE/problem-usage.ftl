### Falsche Aufrufe der Befehlszeile: was, und was als Nächstes. $place ist der Befehl, in jeder Sprache gleich.

problem-usage-conflict = `{ $argument }` verträgt sich nicht mit `{ $other }`
    .next = Eines davon weglassen. `{ $place } --help` sagt mehr.
problem-usage-invalid-value = `{ $value }` ist für `{ $argument }` nicht möglich
    .next = { $hint ->
        [valid] Möglich sind: { $valid }. `{ $place } --help` sagt mehr.
       *[none] `{ $place } --help` sagt mehr.
    }
problem-usage-missing = Es fehlt etwas: { $argument }
    .next = `{ $place } --help` sagt, was es ist.
problem-usage-missing-command = Es fehlt ein Befehl
    .next = `{ $place } --help` zeigt, was es gibt.
problem-usage-missing-value = Der Wert von `{ $argument }` fehlt
    .next = `{ $place } --help` sagt, was er bedeutet.
problem-usage-not-text = Ein Argument ist kein Text: Seine Bytes sind kein UTF-8
    .next = In UTF-8 schreiben; nur Namen von Dateien und Ordnern dürfen anders sein.
problem-usage-not-understood = Die Argumente sind nicht verständlich
    .next = `{ $place } --help` zeigt, was es gibt.
problem-usage-options-of-run = `--headless` und `--minimized` gelten nur für den Agenten selbst
    .next = Weglassen oder mit `hookswitch run` benutzen.
problem-usage-repeated = `{ $argument }` steht zweimal da
    .next = Nur einmal angeben.
problem-usage-surplus-value = `{ $argument }` nimmt den Wert `{ $value }` nicht an
    .next = Den Wert weglassen. `{ $place } --help` sagt mehr.
problem-usage-unknown-argument = `{ $argument }` gibt es hier nicht
    .next = { $hint ->
        [similar] Ist `{ $suggestion }` gemeint? `{ $place } --help` zeigt, was es gibt.
        [value] Als Wert schreibt man es `{ $suggestion }`. `{ $place } --help` zeigt, was es gibt.
       *[none] `{ $place } --help` zeigt, was es gibt.
    }
problem-usage-unknown-command = Den Befehl `{ $name }` gibt es nicht
    .next = { $hint ->
        [similar] Ist `{ $suggestion }` gemeint? `{ $place } --help` zeigt, was es gibt.
       *[none] `{ $place } --help` zeigt, was es gibt.
    }
