### Parts of problems with firmware updates, put into the sentence of the problem. Lower case, no full stop.

## How an update over USB DFU 1.1 ended

detail-dfu-cancelled = canceled { $phase }
detail-no-journal = what it does cannot be written down (see the other problems)
detail-dfu-cannot-open = the device at port { $port } cannot be opened { $phase }: { $error }
detail-dfu-did-not-detach = the device did not enter DFU mode after { $attempts } attempts; unplug it and plug it in again
detail-dfu-not-downloadable = the device in DFU mode takes no DFU 1.1 download (bitCanDnload { $can_download }, bcdDFU { $bcd_dfu })
detail-dfu-reported = the device reported { $status } in state { $state } { $phase }, attempt { $attempts }
detail-dfu-unexpected-state = the device was in state { $state } { $phase }, where DFU 1.1 has another one, attempt { $attempts }
detail-dfu-poll-timeout-too-long = the device asks for { $poll_timeout_ms } ms until the next request { $phase }, which is more than is waited
detail-dfu-transfer = { $error }, { $phase }, attempt { $attempts }
detail-dfu-bad-status-answer = the device answered DFU_GETSTATUS with { $bytes } bytes that are no DFU 1.1 status { $phase }
detail-dfu-unplugged = the device left the bus { $phase }, attempt { $attempts }{ $written ->
        [true] ; its firmware is incomplete
       *[false] {""}
    }
detail-dfu-not-accepted = the device took the whole firmware and came back in DFU mode, { $attempts ->
        [one] once
       *[other] { $attempts } times
    }
detail-dfu-still-old-version = the device came back with version { $found } (before: { $before }) instead of { $expected }; it did not keep the new firmware
detail-dfu-other-version = the device came back with version { $found } instead of { $expected }; the package does not hold the version that it names
detail-dfu-late-version = the device reports version { $found }
detail-dfu-never-came-back = the device was not seen again at port { $port } { $phase }{ $another_seen ->
        [true] {" "}(another device was)
       *[false] {""}
    }
detail-dfu-version-unreadable = the device came back but reports { $bcd }, which is no version

## What is known of the device; whole sentences

detail-dfu-device-runtime = The headset works as before. Start the update again when it suits.
detail-dfu-device-other-version = The headset works with that version. Tell your IT department: whoever published the package has to correct it.
detail-dfu-device-dfu = The headset needs its firmware again. Keep it at this USB port and start the update again.
detail-dfu-device-unseen = Plug the headset into the same USB port and start the update again; it is recovered from there.

## Where an update stands

detail-dfu-detaching = while it was asked to enter DFU mode
detail-dfu-waiting-for-dfu = while it entered DFU mode
detail-dfu-preparing = while it was made ready for the firmware
detail-dfu-downloading = while the firmware was written
detail-dfu-manifesting = while it put the firmware in place
detail-dfu-waiting-for-runtime = while it restarted

## bStatus, DFU 1.1 section 6.1.2

detail-dfu-status = { $status ->
        [0] OK (no error)
        [1] errTARGET (the file is not for this device)
        [2] errFILE (the file fails a check of the vendor)
        [3] errWRITE (the device cannot write its memory)
        [4] errERASE (erasing the memory failed)
        [5] errCHECK_ERASED (the memory is not erased)
        [6] errPROG (programming the memory failed)
        [7] errVERIFY (the memory reads back differently)
        [8] errADDRESS (an address is out of range)
        [9] errNOTDONE (the device has not received all of the data)
        [10] errFIRMWARE (the firmware is corrupt, the device cannot return to normal operation)
        [11] errVENDOR (an error of the vendor’s own)
        [12] errUSBR (an unexpected USB reset)
        [13] errPOR (an unexpected power-on reset)
        [14] errUNKNOWN (the device does not know why)
        [15] errSTALLEDPKT (the device stalled an unexpected request)
       *[other] bStatus { $status } (not defined by DFU 1.1)
    }

## USB requests

detail-usb-stall = the device refused the request (STALL)
detail-usb-no-device = the device left the bus
detail-usb-timeout = the device did not answer in time
detail-usb-access-denied = the operating system denies access to the device
detail-usb-busy = another program or driver holds the interface
detail-usb-package-unread = the firmware package could not be read from the disk
detail-usb-not-sent = the request was not sent, because its journal could not be written
detail-usb-io = input/output error { $number }

## Reports

detail-report-empty = input report is empty
detail-report-unknown = input report { $report } is not in the descriptor
detail-report-too-short = input report { $report } has { $came } payload bytes, expected { $expected }

detail-device-unanswering = it does not answer
detail-device-not-open = it is not open

## Why an update is refused before anything is sent

detail-plan-no-dfu-interface = the device { $product } at port { $port } has no DFU interface
detail-plan-in-dfu-mode = the device { $product } at port { $port } is in DFU mode already
detail-plan-cannot-download = the device at port { $port } says that it takes no firmware (bitCanDnload is 0)
detail-plan-runtime-broken = the device at port { $port } does not come out of DFU_DETACH: put it into DFU mode by hand, it is updated from there
detail-plan-specification = the device at port { $port } speaks DFU { $bcd_dfu }; only 0x0100, 0x0101 and 0x0110 are spoken here
detail-plan-empty-image = there is nothing to send
detail-plan-other-device = by its DFU suffix the firmware is for { $suffix }, but the device is { $runtime }{ $count ->
        [0] {""}
       *[other] , and { $dfu_pids } in DFU mode
    }
detail-plan-other-version = by its DFU suffix the firmware has version { $suffix }, but { $wanted } is to be installed
detail-plan-reenumerate-timeout = { $timeout_ms } ms to come back in, expected { $least_ms } to { $most_ms }
