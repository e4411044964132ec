### Wrong usage of the command line: what, and what next. $place is the command, the same in every language.

problem-usage-conflict = `{ $argument }` does not go with `{ $other }`
    .next = Leave one of them out. `{ $place } --help` says more.
problem-usage-invalid-value = `{ $value }` is not possible for `{ $argument }`
    .next = { $hint ->
        [valid] Possible are: { $valid }. `{ $place } --help` says more.
       *[none] `{ $place } --help` says more.
    }
problem-usage-missing = Something is missing: { $argument }
    .next = `{ $place } --help` says what it is.
problem-usage-missing-command = A command is missing
    .next = `{ $place } --help` lists what there is.
problem-usage-missing-value = The value of `{ $argument }` is missing
    .next = `{ $place } --help` says what it is.
problem-usage-not-text = An argument is no text: its bytes are no UTF-8
    .next = Write it in UTF-8; only names of files and folders may be anything else.
problem-usage-not-understood = The arguments are not understood
    .next = `{ $place } --help` lists what there is.
problem-usage-options-of-run = `--headless` and `--minimized` are for the agent itself
    .next = Leave them out, or use them with `hookswitch run`.
problem-usage-repeated = `{ $argument }` is there twice
    .next = Give it once.
problem-usage-surplus-value = `{ $argument }` does not take the value `{ $value }`
    .next = Leave the value out. `{ $place } --help` says more.
problem-usage-unknown-argument = There is no `{ $argument }` here
    .next = { $hint ->
        [similar] Did you mean `{ $suggestion }`? `{ $place } --help` lists what there is.
        [value] As a value it is written `{ $suggestion }`. `{ $place } --help` lists what there is.
       *[none] `{ $place } --help` lists what there is.
    }
problem-usage-unknown-command = There is no command `{ $name }`
    .next = { $hint ->
        [similar] Did you mean `{ $suggestion }`? `{ $place } --help` lists what there is.
       *[none] `{ $place } --help` lists what there is.
    }
