//! What the agent keeps in memory while it waits.

use std::ffi::{CStr, c_int, c_void};

#[cfg(target_pointer_width = "64")]
type Header = libc::Elf64_Phdr;
#[cfg(target_pointer_width = "32")]
type Header = libc::Elf32_Phdr;

/// One allocation arena for all threads: the agent's threads sleep nearly always, and an arena each costs memory that
/// is never given back.
pub fn frugal_memory() {
    // SAFETY: mallopt only changes parameters of the allocator; called before any other thread runs.
    unsafe {
        libc::mallopt(libc::M_ARENA_MAX, 1);
    }
}

/// Gives back what only busy times need: what the allocator keeps for later, and the pages of code and constants, which
/// are the files' own. Those that are used again come back from the page cache, without a read of the disk as long as
/// the system has the memory.
pub fn give_back_memory() {
    #[cfg(target_env = "gnu")]
    // SAFETY: malloc_trim takes the allocator's own locks and has no preconditions.
    unsafe {
        libc::malloc_trim(0);
    }
    // SAFETY: `leave_pages` is sound for what the linker hands it, and uses no data.
    unsafe {
        libc::dl_iterate_phdr(Some(leave_pages), std::ptr::null_mut());
    }
}

/// Called for the program and each library, under the linker's lock: none of them goes meanwhile.
unsafe extern "C" fn leave_pages(object: *mut libc::dl_phdr_info, _size: usize, _data: *mut c_void) -> c_int {
    // SAFETY: the linker hands a description that is valid for this call.
    let object = unsafe { &*object };
    // SAFETY: the name is a string for as long, where there is one.
    let name = (!object.dlpi_name.is_null()).then(|| unsafe { CStr::from_ptr(object.dlpi_name) });
    // The kernel's own, which is no file.
    if object.dlpi_phdr.is_null() || name.is_some_and(|name| name.to_bytes().starts_with(b"linux-vdso")) {
        return 0;
    }
    // SAFETY: so many headers are there, for as long as the object is loaded.
    let headers = unsafe { std::slice::from_raw_parts(object.dlpi_phdr, object.dlpi_phnum.into()) };
    // Addresses wrap: a program that is not moved has a base of zero, and the sum is the linker's definition.
    let base = object.dlpi_addr as usize;
    let dynamic = headers.iter().find(|header| header.p_type == libc::PT_DYNAMIC);
    let relocated = dynamic.is_some_and(|header| {
        // SAFETY: the section is mapped, and ends with a null tag.
        unsafe { has_text_relocations(base.wrapping_add(header.p_vaddr as usize)) }
    });
    if relocated {
        return 0;
    }
    for header in headers.iter().filter(|header| holds_the_file_alone(header)) {
        if let Some((at, length)) = whole_pages(base, header.p_vaddr as usize, header.p_memsz as usize) {
            // SAFETY: a private mapping that was never written to has the file's bytes before and after. That it cannot
            // be advised (locked in memory) leaves everything as it is.
            unsafe {
                libc::madvise(at as *mut c_void, length, libc::MADV_DONTNEED);
            }
        }
    }
    0
}

/// That nothing can have been written into it.
fn holds_the_file_alone(header: &Header) -> bool {
    header.p_type == libc::PT_LOAD && header.p_flags & libc::PF_W == 0
}

/// The pages of a segment that are no other's. `None`: there is no whole one.
fn whole_pages(base: usize, address: usize, length: usize) -> Option<(usize, usize)> {
    let page = page_size()?;
    let at = base.wrapping_add(address);
    let first = at.checked_next_multiple_of(page)?;
    let end = at.checked_add(length)? / page * page;
    let length = end.checked_sub(first).filter(|length| *length > 0)?;
    Some((first, length))
}

fn page_size() -> Option<usize> {
    // SAFETY: sysconf has no preconditions.
    usize::try_from(unsafe { libc::sysconf(libc::_SC_PAGESIZE) }).ok().filter(|size| size.is_power_of_two())
}

/// Whether the linker wrote into code that is not writable (no library of today asks for that): those pages are not the
/// file's.
///
/// # Safety
/// `at` is the address of an object's dynamic section.
unsafe fn has_text_relocations(at: usize) -> bool {
    const NULL: usize = 0;
    const TEXTREL: usize = 22;
    const FLAGS: usize = 30;
    const FLAG_TEXTREL: usize = 4;
    let mut entry = at;
    loop {
        // SAFETY: the section is a list of pairs that a null tag ends.
        let [tag, value] = unsafe { std::ptr::read(entry as *const [usize; 2]) };
        match tag {
            NULL => return false,
            TEXTREL => return true,
            FLAGS if value & FLAG_TEXTREL != 0 => return true,
            _ => entry += std::mem::size_of::<[usize; 2]>(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;
    use std::sync::atomic::{AtomicU64, Ordering};

    /// Bytes of files that are in this process.
    fn of_files() -> u64 {
        let status = fs::read_to_string("/proc/self/status").expect("read");
        let line = status.lines().find_map(|line| line.strip_prefix("RssFile:")).expect("told");
        let kilobytes: u64 = line.trim().trim_end_matches(" kB").parse().expect("a number");
        kilobytes * 1024
    }

    #[test]
    fn code_that_ran_is_given_back_and_runs_again() {
        static WRITTEN: AtomicU64 = AtomicU64::new(7);
        WRITTEN.store(42, Ordering::SeqCst);
        let kept = vec![0xA5_u8; 3 << 20];
        let says = || serde_json::json!({ "a": [1, 2.5, "three"] }).to_string();
        let said = says();
        let before = of_files();
        give_back_memory();
        let after = of_files();
        assert!(after < before / 2, "{before} bytes of files before, {after} after");
        assert_eq!(WRITTEN.load(Ordering::SeqCst), 42);
        assert!(kept.iter().all(|byte| *byte == 0xA5));
        assert_eq!(says(), said);
    }

    #[test]
    fn pages_at_the_edge_are_left() {
        let page = page_size().expect("told");
        assert_eq!(whole_pages(0, page, 2 * page), Some((page, 2 * page)));
        assert_eq!(whole_pages(page, 1, 2 * page), Some((2 * page, page)));
        assert_eq!(whole_pages(0, page + 1, page), None);
        assert_eq!(whole_pages(0, page, page - 1), None);
        assert_eq!(whole_pages(0, page, 0), None);
        assert_eq!(whole_pages(usize::MAX - 1, 0, page), None);
    }

    #[test]
    fn what_can_be_written_to_is_left() {
        // SAFETY: a header is numbers, for which zero is a value.
        let mut header: Header = unsafe { std::mem::zeroed() };
        header.p_type = libc::PT_LOAD;
        header.p_flags = libc::PF_R | libc::PF_X;
        assert!(holds_the_file_alone(&header));
        header.p_flags = libc::PF_R | libc::PF_W;
        assert!(!holds_the_file_alone(&header));
        header.p_flags = libc::PF_R;
        header.p_type = libc::PT_NOTE;
        assert!(!holds_the_file_alone(&header));
    }

    #[test]
    fn relocated_code_is_known() {
        let section = |entries: &[[usize; 2]]| {
            // SAFETY: each of these lists ends with a null tag, or before it with the answer.
            unsafe { has_text_relocations(entries.as_ptr() as usize) }
        };
        assert!(!section(&[[1, 9], [30, 8], [0, 0]]));
        assert!(section(&[[1, 9], [22, 0], [0, 0]]));
        assert!(section(&[[30, 4 | 8], [0, 0]]));
    }
}
