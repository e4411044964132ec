### What went wrong in the window and at the door for softphones, and in `.next` what to do.

## What a button could not do

problem-window-expired = This page is too old to change anything
    .next = Open the window again from the tray or with “hookswitch open”.
    .place = the window
problem-window-request = The page asked for something that does not exist
    .next = Load the page again.
problem-window-stopping = Hookswitch is stopping
    .next = Start it again.
problem-window-not-opened = The window cannot be opened: { $error }
    .next = Restart Hookswitch.

## The door for softphones

problem-rest-port-taken = Softphones cannot connect: port { $port } is held by { $holder }
    .next = Softphones can connect as soon as that program ends. Else choose another port, such as by “hookswitch settings set rest_port 32019”.
problem-rest-not-listening = Softphones cannot connect: { $error }
    .next = It is tried again by itself. If that does not help, choose another port, such as by “hookswitch settings set rest_port 32019”.
problem-rest-plain-closed = Softphones that know only plain HTTP cannot connect: port { $port } is not to be had ({ $why })
    .next = They can connect as soon as it is free. It is always the one below rest_port: to move both, choose another one, such as by “hookswitch settings set rest_port 32028”.
problem-rest-certificate = Softphones cannot connect: there is no certificate ({ $error })
    .next = Make the folder writable for you; it is tried again by itself.
problem-rest-endpoint-file = Softphones cannot connect: their file cannot be written ({ $error })
    .next = Make the folder writable for you; it is tried again by itself.
problem-certificate-renewed = The certificate for softphones was made again: { $why }
    .next = Where the old one was trusted, trust this file instead.

## Softphones that ask

problem-softphone-locked = { $by ->
        [company] Your company approved { $softphone }
        [environment] A variable of the environment says which softphones may use the headset
       *[machine] Your IT department says which softphones may use the headset
    }
    .next = { $by ->
        [company] Ask the company’s IT to take it back.
        [environment] Change it where Hookswitch is started.
       *[machine] Ask your IT department to change it.
    }
problem-softphone-no-origin = This names neither a web page nor a program
    .next = Write a page as https://softphone.example (http only for this computer, no path), a program by its whole path, as “hookswitch softphones list” prints them.
problem-no-such-device = There is no such headset here
    .next = “hookswitch devices” shows those that are plugged in.
problem-headset-not-kept = The choice of the headset cannot be remembered: { $reason }
    .next = Correct the file or its permissions, then choose again.
problem-no-such-softphone = This softphone does not ask for the headset and is not approved
    .next = “hookswitch softphones list” shows those that do and are.
problem-softphone-not-kept = This counts until Hookswitch ends; it cannot be remembered: { $reason }
    .next = Correct the file or its permissions, then decide again.
