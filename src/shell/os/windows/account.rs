//! Accounts by their SIDs, and who may do what with an object of the system.

use super::{checked, wide};
use std::ffi::c_void;
use std::io;
use std::os::windows::io::{AsRawHandle, FromRawHandle, OwnedHandle};
use std::ptr::{null, null_mut};
use std::sync::OnceLock;
use windows_sys::Win32::Foundation::{HANDLE, LocalFree};
use windows_sys::Win32::Security::Authorization::{
    ConvertSidToStringSidW, ConvertStringSecurityDescriptorToSecurityDescriptorW, ConvertStringSidToSidW,
    GetNamedSecurityInfoW, GetSecurityInfo, SDDL_REVISION_1, SE_FILE_OBJECT, SE_OBJECT_TYPE,
};
use windows_sys::Win32::Security::{
    ACCESS_ALLOWED_ACE, ACL, DACL_SECURITY_INFORMATION, GetAce, GetSecurityDescriptorDacl,
    GetTokenInformation, INHERIT_ONLY_ACE, LookupAccountSidW, OWNER_SECURITY_INFORMATION,
    PSECURITY_DESCRIPTOR, PSID, TOKEN_QUERY, TOKEN_USER, TokenUser,
};
use windows_sys::Win32::System::Threading::{
    GetCurrentProcess, OpenProcess, OpenProcessToken, PROCESS_QUERY_LIMITED_INFORMATION,
};

/// LocalSystem, the administrators, and who installs Windows itself.
const RULERS: [&str; 3] =
    ["S-1-5-18", "S-1-5-32-544", "S-1-5-80-956008885-3418522649-1831038044-1853292631-2271478464"];
const ACCESS_ALLOWED: u8 = 0;

/// The account this process runs as.
///
/// # Errors
/// The system does not tell.
pub(super) fn me() -> io::Result<&'static str> {
    static ME: OnceLock<String> = OnceLock::new();
    if let Some(known) = ME.get() {
        return Ok(known);
    }
    // SAFETY: takes nothing; the handle that comes back needs no closing.
    let told = of_token_of(unsafe { GetCurrentProcess() })?;
    Ok(ME.get_or_init(|| told))
}

/// Whether what this account says may be believed: it is this one, or it can change everything here anyway.
pub(super) fn is_mine_or_rulers(sid: &str) -> bool {
    rules(sid) || me().is_ok_and(|me| me == sid)
}

pub(super) fn rules(sid: &str) -> bool {
    RULERS.contains(&sid)
}

/// The account of a process.
///
/// # Errors
/// It is gone, or another account's and hidden.
pub(super) fn of_process(process: u32) -> io::Result<String> {
    let process = open_process(process, PROCESS_QUERY_LIMITED_INFORMATION)?;
    of_token_of(process.as_raw_handle() as HANDLE)
}

pub(super) fn open_process(process: u32, access: u32) -> io::Result<OwnedHandle> {
    // SAFETY: numbers alone.
    let handle = unsafe { OpenProcess(access, 0, process) };
    checked(i32::from(!handle.is_null()))?;
    // SAFETY: it was just opened, and nobody else has it.
    Ok(unsafe { OwnedHandle::from_raw_handle(handle.cast()) })
}

fn of_token_of(process: HANDLE) -> io::Result<String> {
    let mut token = null_mut();
    // SAFETY: the process is open, and there is room for one handle.
    checked(unsafe { OpenProcessToken(process, TOKEN_QUERY, &raw mut token) })?;
    // SAFETY: it was just opened, and nobody else has it.
    of_token(unsafe { OwnedHandle::from_raw_handle(token.cast()) })
}

pub(super) fn of_token(token: OwnedHandle) -> io::Result<String> {
    // u64 for the alignment of TOKEN_USER; a SID has at most 68 bytes.
    let mut buffer = [0_u64; 16];
    let (mut length, room) = (0, size_of_val(&buffer) as u32);
    let into = buffer.as_mut_ptr().cast();
    // SAFETY: the buffer is as long as said.
    checked(unsafe {
        GetTokenInformation(token.as_raw_handle() as HANDLE, TokenUser, into, room, &raw mut length)
    })?;
    // SAFETY: the call above filled in a TOKEN_USER whose SID lies in the same buffer.
    unsafe { text_of((*buffer.as_ptr().cast::<TOKEN_USER>()).User.Sid) }
}

/// # Safety
/// `sid` is one, or null.
unsafe fn text_of(sid: PSID) -> io::Result<String> {
    let mut text = null_mut();
    // SAFETY: as above; the text is freed by `Local`.
    checked(unsafe { ConvertSidToStringSidW(sid, &raw mut text) })?;
    Ok(Local(text.cast()).text())
}

/// The account's name as people know it, else the SID itself.
pub(super) fn name_of(sid: &str) -> String {
    let look_up = || -> io::Result<String> {
        let text = wide(sid);
        let mut binary = null_mut();
        // SAFETY: the text ends with 0; the SID is freed by `Local`.
        checked(unsafe { ConvertStringSidToSidW(text.as_ptr(), &raw mut binary) })?;
        let binary = Local(binary);
        let (mut name, mut domain) = ([0_u16; 256], [0_u16; 256]);
        let (mut name_room, mut domain_room) = (name.len() as u32, domain.len() as u32);
        let mut kind = 0;
        // SAFETY: both buffers are as long as said.
        checked(unsafe {
            LookupAccountSidW(
                null(),
                binary.0,
                name.as_mut_ptr(),
                &raw mut name_room,
                domain.as_mut_ptr(),
                &raw mut domain_room,
                &raw mut kind,
            )
        })?;
        Ok(String::from_utf16_lossy(&name[..(name_room as usize).min(name.len())]))
    };
    look_up().ok().filter(|name| !name.is_empty()).unwrap_or_else(|| sid.to_owned())
}

/// Whose an object is, and who may do what with it.
pub(super) struct Guard {
    pub(super) owner: String,
    /// SIDs with the rights they have; `None` = everybody has all.
    allowed: Option<Vec<(String, u32)>>,
}

impl Guard {
    /// # Errors
    /// As GetSecurityInfo.
    pub(super) fn of(handle: &impl AsRawHandle, kind: SE_OBJECT_TYPE) -> io::Result<Self> {
        let handle = handle.as_raw_handle() as HANDLE;
        // SAFETY: the handle is open, and there is room for what comes back.
        Self::read(|owner, list, descriptor| unsafe {
            let what = OWNER_SECURITY_INFORMATION | DACL_SECURITY_INFORMATION;
            GetSecurityInfo(handle, kind, what, owner, null_mut(), list, null_mut(), descriptor)
        })
    }

    /// Of a file or folder, of what a link leads to if it is one.
    ///
    /// # Errors
    /// As GetNamedSecurityInfoW.
    pub(super) fn of_path(path: &std::path::Path) -> io::Result<Self> {
        let name = wide(path);
        // SAFETY: the name ends with 0, and there is room for what comes back.
        Self::read(|owner, list, descriptor| unsafe {
            let what = OWNER_SECURITY_INFORMATION | DACL_SECURITY_INFORMATION;
            let name = name.as_ptr();
            GetNamedSecurityInfoW(name, SE_FILE_OBJECT, what, owner, null_mut(), list, null_mut(), descriptor)
        })
    }

    fn read(
        ask: impl FnOnce(*mut PSID, *mut *mut ACL, *mut PSECURITY_DESCRIPTOR) -> u32,
    ) -> io::Result<Self> {
        let (mut owner, mut list, mut descriptor) = (null_mut(), null_mut(), null_mut());
        let code = ask(&raw mut owner, &raw mut list, &raw mut descriptor);
        if code != 0 {
            return Err(io::Error::from_raw_os_error(code.cast_signed()));
        }
        let _descriptor = Local(descriptor);
        // SAFETY: owner and list lie in the descriptor, which is still there.
        unsafe { Ok(Self { owner: text_of(owner)?, allowed: entries(list)? }) }
    }

    /// Whether others than this user and who rules the computer have one of these rights.
    pub(super) fn gives_others(&self, rights: u32) -> bool {
        let Some(allowed) = &self.allowed else { return true };
        allowed.iter().any(|(sid, may)| may & rights != 0 && !is_mine_or_rulers(sid))
    }
}

/// The entries of a list that allow something here; those that only hand something down are none.
///
/// # Safety
/// `list` is a valid list, or null.
unsafe fn entries(list: *mut ACL) -> io::Result<Option<Vec<(String, u32)>>> {
    if list.is_null() {
        return Ok(None);
    }
    let mut out = Vec::new();
    // SAFETY: it is valid.
    for index in 0..u32::from(unsafe { (*list).AceCount }) {
        let mut entry: *mut c_void = null_mut();
        // SAFETY: there are as many entries, and there is room for a pointer.
        checked(unsafe { GetAce(list, index, &raw mut entry) })?;
        let entry = entry.cast::<ACCESS_ALLOWED_ACE>();
        // SAFETY: every entry begins with this header.
        let header = unsafe { (*entry).Header };
        if header.AceType != ACCESS_ALLOWED || u32::from(header.AceFlags) & INHERIT_ONLY_ACE != 0 {
            continue;
        }
        // SAFETY: an entry of this type ends with a SID.
        let (rights, sid) = unsafe { ((*entry).Mask, text_of((&raw mut (*entry).SidStart).cast())?) };
        out.push((sid, rights));
    }
    Ok(Some(out))
}

/// A list of rights made from its text.
pub(super) struct Descriptor(Local);

impl Descriptor {
    /// # Errors
    /// The text is none.
    pub(super) fn new(sddl: &str) -> io::Result<Self> {
        let text = wide(sddl);
        let mut descriptor = null_mut();
        // SAFETY: the text ends with 0; the descriptor is freed by `Local`.
        checked(unsafe {
            ConvertStringSecurityDescriptorToSecurityDescriptorW(
                text.as_ptr(),
                SDDL_REVISION_1,
                &raw mut descriptor,
                null_mut(),
            )
        })?;
        Ok(Self(Local(descriptor)))
    }

    pub(super) fn as_ptr(&self) -> PSECURITY_DESCRIPTOR {
        self.0.0
    }

    /// The list in it.
    ///
    /// # Errors
    /// It has none.
    pub(super) fn list(&self) -> io::Result<*const ACL> {
        let (mut present, mut list, mut defaulted) = (0, null_mut(), 0);
        // SAFETY: the descriptor is valid, and there is room for what comes back.
        checked(unsafe {
            GetSecurityDescriptorDacl(self.0.0, &raw mut present, &raw mut list, &raw mut defaulted)
        })?;
        checked(present)?;
        Ok(list)
    }
}

/// Memory of the system's local heap.
struct Local(*mut c_void);

impl Local {
    /// It must hold UTF-16 that ends with 0.
    fn text(&self) -> String {
        let start = self.0.cast::<u16>();
        // SAFETY: only called on texts the system made.
        let length = (0..).take_while(|&at| unsafe { *start.add(at) } != 0).count();
        // SAFETY: that many units were just read.
        String::from_utf16_lossy(unsafe { std::slice::from_raw_parts(start, length) })
    }
}

impl Drop for Local {
    fn drop(&mut self) {
        // SAFETY: it came from the local heap and is freed once.
        unsafe { LocalFree(self.0) };
    }
}
