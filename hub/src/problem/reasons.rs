//! The table of all that can go wrong. Each line is a code with what its text in `locales/` needs: words as they are,
//! or a [`Detail`], which is said in the person's language. `here`: where it is are words of the text, not a name.

use super::{Declared, Detail, Said};

macro_rules! field {
    () => {
        String
    };
    ($detail:ident) => {
        $detail
    };
}

macro_rules! is_there {
    () => {
        false
    };
    ($any:ident) => {
        true
    };
}

macro_rules! reasons {
    ($($(#[$doc:meta])* $name:ident = $code:literal $($here:ident)? $({ $($arg:ident $(: $detail:ident)?),+ })?;)+) => {
        /// What goes wrong, with what its text says of it. [`Reason::at`] and [`Reason::here`] make the problem.
        #[derive(Clone, Debug, PartialEq, Eq)]
        pub enum Reason {
            $($(#[$doc])* $name $({ $($arg: field!($($detail)?)),+ })?,)+
        }

        /// Which of them it is.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum Code {
            $($(#[$doc])* $name,)+
        }

        impl Code {
            pub const ALL: &[Self] = &[$(Self::$name),+];

            pub(super) fn declared(self) -> &'static Declared {
                const TABLE: &[Declared] = &[$(Declared {
                    code: $code,
                    here: is_there!($($here)?),
                    arguments: &[$($((stringify!($arg), is_there!($($detail)?))),+)?],
                }),+];
                &TABLE[self as usize]
            }
        }

        impl Reason {
            pub(super) fn taken_apart(self) -> (Code, Vec<(&'static str, Said)>) {
                match self {
                    $(Self::$name $({ $($arg),+ })? => {
                        (Code::$name, vec![$($((stringify!($arg), Said::from($arg))),+)?])
                    })+
                }
            }
        }
    };
}

reasons! {
    // Starting, the command line and the local socket
    AgentAnswer = "agent-answer" here;
    AgentForeign = "agent-foreign";
    AgentNotStarted = "agent-not-started" { reason: Detail };
    AgentHangs = "agent-hangs" here { seconds };
    AgentLost = "agent-lost" here { error };
    AgentNotRunning = "agent-not-running";
    AlreadyRunning = "already-running";
    BadDescriptorFile = "bad-descriptor-file" { error: Detail };
    FileUnreadable = "file-unreadable" { error: Detail };
    LocalSocket = "local-socket" { error };
    NoCertificate = "no-certificate" { error, agent };
    NoResources = "no-resources" here { error: Detail };
    NoUpdates = "no-updates";
    NotUnderstood = "not-understood" here { error };
    OutputLost = "output-lost" here;
    PackageBroken = "package-broken" { error: Detail };
    PackageInvalid = "package-invalid" { error: Detail };
    ServiceNotBegun = "service-not-begun" { reason: Detail };
    ServiceRunning = "service-running";
    ServiceSocket = "service-socket" { error };
    SettingsBusy = "settings-busy";
    SettingsNotWritten = "settings-not-written" { error };
    Stopping = "stopping" here;
    TenantCaUnreadable = "tenant-ca-unreadable" { reason: Detail };
    TenantIncomplete = "tenant-incomplete" { missing };
    WhichUpdate = "which-update" { count };
    OtherVersion = "other-version" { theirs, ours };
    NoAnswer = "no-answer";
    MachineAway = "machine-away" here;
    ServiceNeedsRoot = "service-needs-root";
    ServiceCame = "service-came";
    SettingsNeedRoot = "settings-need-root";
    MachineForeign = "machine-foreign" here;
    MachineUnreachable = "machine-unreachable" here { reason };
    MachineSilent = "machine-silent" here;
    NoTenant = "no-tenant";

    // Store
    StoreDamaged = "store-damaged" { detail: Detail };
    StoreMended = "store-mended" { kept, journal };
    StoreNewer = "store-newer" { detail: Detail };
    StoreForeign = "store-foreign" { detail: Detail };
    StoreInUse = "store-in-use";
    StoreFull = "store-full";
    StoreUnwritable = "store-unwritable" { detail: Detail };
    StoreFailed = "store-failed" { detail: Detail };

    // Directory
    DirectoryAddress = "directory-address";
    DirectoryAuthority = "directory-authority" { detail: Detail };
    DirectoryBind = "directory-bind" { detail: Detail };
    DirectoryCertificate = "directory-certificate" { detail: Detail };
    DirectoryCredentials = "directory-credentials" { detail: Detail };
    DirectoryEmptyBind = "directory-empty-bind";
    DirectoryFilter = "directory-filter" here { group, column, detail: Detail };
    DirectoryMissing = "directory-missing";
    DirectoryPlaintext = "directory-plaintext";
    DirectoryProtocol = "directory-protocol" { detail: Detail };
    DirectoryQuery = "directory-query" here { group, detail: Detail, server };
    DirectoryStarttls = "directory-starttls" { detail: Detail };
    DirectoryTimeout = "directory-timeout" { detail: Detail };
    DirectoryTls = "directory-tls" { detail: Detail };
    DirectoryUnreachable = "directory-unreachable" { detail: Detail };
    DirectoryUser = "directory-user";

    // Tenant: settings and folders
    TenantUrl = "tenant-url" { detail: Detail };
    TenantPin = "tenant-pin";
    TenantCa = "tenant-ca" { detail: Detail };
    TenantTrust = "tenant-trust" here { detail: Detail };
    TenantData = "tenant-data" { detail: Detail };
    TenantNotEnrolled = "tenant-not-enrolled";
    TenantReport = "tenant-report" here { detail };

    // Tenant: connection
    TenantUnreachable = "tenant-unreachable" { detail: Detail };
    TenantTimeout = "tenant-timeout" { detail: Detail };
    TenantCertificate = "tenant-certificate" { detail: Detail };
    TenantCertificateTime = "tenant-certificate-time" { detail: Detail };
    TenantProof = "tenant-proof" { detail: Detail };
    TenantKey = "tenant-key" here;
    TenantHostKey = "tenant-host-key" { system_id };
    TenantAgentOld = "tenant-agent-old" { detail: Detail };
    TenantServerOld = "tenant-server-old" { contract };
    HostCopied = "host-copied" here { original, own };
    TenantRedirect = "tenant-redirect" { detail: Detail };
    TenantUnauthorized = "tenant-unauthorized" { detail: Detail };
    TenantServerError = "tenant-server-error" { detail: Detail };
    TenantRejected = "tenant-rejected" { detail: Detail };
    TenantReportRefused = "tenant-report-refused" { what: Detail, said: Detail };
    TenantAnswer = "tenant-answer" { detail: Detail };

    // Tenant: what is signed
    TenantRoot = "tenant-root" { found, pinned };
    TenantExpired = "tenant-expired" { detail: Detail };
    TenantRolledBack = "tenant-rolled-back" { detail: Detail };
    TenantSignature = "tenant-signature" { detail: Detail };
    TenantOversize = "tenant-oversize" { detail: Detail };
    TenantMismatch = "tenant-mismatch" { detail: Detail };
    TenantNotFound = "tenant-not-found";
    TenantClock = "tenant-clock" { detail: Detail };
    TenantMetadata = "tenant-metadata" { detail: Detail };
    TenantPolicyInvalid = "tenant-policy-invalid" { detail: Detail };
    TenantTargetUnknown = "tenant-target-unknown" { detail: Detail };
    TenantIntercepted = "tenant-intercepted" { detail: Detail };
    ClockWrong = "clock-wrong" { detail: Detail };
    TenantFolderUnpinned = "tenant-folder-unpinned" { folder };
    TenantFolderUnreadable = "tenant-folder-unreadable" { detail: Detail };
    TenantFolderNotAFile = "tenant-folder-not-a-file";
    TenantFolderTakesNothing = "tenant-folder-takes-nothing";

    // Wrong usage of the command line
    UsageConflict = "usage-conflict" { argument, other };
    UsageInvalidValue = "usage-invalid-value" { value, argument, hint, valid };
    UsageMissing = "usage-missing" { argument };
    UsageMissingCommand = "usage-missing-command";
    UsageMissingValue = "usage-missing-value" { argument };
    UsageNotText = "usage-not-text";
    UsageNotUnderstood = "usage-not-understood";
    UsageOptionsOfRun = "usage-options-of-run";
    UsageRepeated = "usage-repeated" { argument };
    UsageSurplusValue = "usage-surplus-value" { argument, value };
    UsageUnknownArgument = "usage-unknown-argument" { argument, hint, suggestion };
    UsageUnknownCommand = "usage-unknown-command" { name, hint, suggestion };

    // Settings
    SettingInvalid = "setting-invalid" { key, kind };
    SettingManaged = "setting-managed" { key, machine };
    SettingMisspelt = "setting-misspelt" { key, nearest };
    SettingTokenFirst = "setting-token-first" { key };
    SettingsUnknown = "settings-unknown" { more };
    SettingUnknown = "setting-unknown" { key };
    SettingsNewer = "settings-newer" { schema, known };
    SettingsUnusable = "settings-unusable" { reason: Detail };
    SettingsWithheld = "settings-withheld";
    TenantTokenExposed = "tenant-token-exposed" { file, private };
    LanguageNotSpoken = "language-not-spoken" { tag, known };
    SettingsUnreadable = "settings-unreadable" { line };

    // Folders and logs
    HomeForeign = "home-foreign" { owner };
    HomeOpen = "home-open";
    HomeUnknown = "home-unknown";
    HomeUnwritable = "home-unwritable" { reason };
    LogNotStarted = "log-not-started" { reason };
    LogUnwritable = "log-unwritable" { reason };

    // The desktop
    BrowserNotOpened = "browser-not-opened" { reason: Detail };
    NoDefaultBrowser = "no-default-browser" here { reason: Detail };
    NotOnThisSystem = "not-on-this-system" { what: Detail };
    TrayNotShown = "tray-not-shown" here { reason: Detail };

    // Headsets
    BadDescriptor = "bad-descriptor" { error: Detail };
    HidAccessDenied = "hid-access-denied" { error };
    HidNotAllowed = "hid-not-allowed" { error };
    HidNotOpened = "hid-not-opened" { error };
    HidUnreadable = "hid-unreadable";
    LightsNotTaken = "lights-not-taken" { error: Detail };
    ReportsUnreadable = "reports-unreadable" { error: Detail };
    HidUnavailable = "hid-unavailable" here { error };
    HotplugUnavailable = "hotplug-unavailable" { error };
    UsbUnavailable = "usb-unavailable" here { error };

    // Calls
    NoSuchCall = "no-such-call";
    NotYourCall = "not-your-call";
    TooManyCalls = "too-many-calls" { limit };
    WrongCallState = "wrong-call-state" { state };

    // Updates
    NotAtTheSeat = "not-at-the-seat" here;
    InCall = "in-call";
    CancelStrands = "cancel-strands";
    CancelTooLate = "cancel-too-late";
    DeviceReturning = "device-returning";
    HeadsetGone = "headset-gone";
    NeedsFirmware = "needs-firmware";
    NeedsFirmwareAway = "needs-firmware-away";
    MethodUnknown = "method-unknown" { why: Detail };
    NoDfuInterface = "no-dfu-interface";
    VersionNotComparable = "version-not-comparable" { current, target };
    NoSuchOffer = "no-such-offer";
    NoUpdateRunning = "no-update-running" here;
    NothingToRecover = "nothing-to-recover";
    NotDeferrable = "not-deferrable";
    DeferralsUsed = "deferrals-used" { most };
    RecoveryWithoutTenant = "recovery-without-tenant";
    PackageNotKept = "package-not-kept";
    PackageRefused = "package-refused" { error: Detail, resumed };
    QueueFull = "queue-full" { most };
    QuitStrands = "quit-strands";
    UpdateCancelled = "update-cancelled";
    UpdateFailed = "update-failed" { why, device: Detail, detail: Detail };
    UpdateForgotten = "update-forgotten";
    UpdateQueued = "update-queued";
    UpdateRunning = "update-running";
    UpdateStopped = "update-stopped" { device: Detail, detail: Detail };
    UpdateUnknown = "update-unknown" { detail: Detail };

    // The support bundle
    BundleNotWritten = "bundle-not-written" { reason: Detail };
    PackageNotWritten = "package-not-written" { reason: Detail };

    // What a button could not do
    WindowExpired = "window-expired" here;
    WindowRequest = "window-request";
    WindowStopping = "window-stopping";
    WindowNotOpened = "window-not-opened" { error };

    // The door for softphones
    RestPortTaken = "rest-port-taken" { port, holder: Detail };
    /// HTTPS is served.
    RestPlainClosed = "rest-plain-closed" { port, why: Detail };
    RestNotListening = "rest-not-listening" { error };
    RestCertificate = "rest-certificate" { error: Detail };
    RestEndpointFile = "rest-endpoint-file" { error };
    CertificateRenewed = "certificate-renewed" { why: Detail };

    // Softphones that ask
    SoftphoneLocked = "softphone-locked" { by, softphone };
    SoftphoneNoOrigin = "softphone-no-origin";
    NoSuchDevice = "no-such-device";
    HeadsetNotKept = "headset-not-kept" { reason };
    NoSuchSoftphone = "no-such-softphone";
    SoftphoneNotKept = "softphone-not-kept" { reason };

    // From elsewhere

    /// Another version of this program said or stored it, and here is no text for it, or not all that the text needs.
    UnheardOf = "unheard-of" { code, what, next };
}
