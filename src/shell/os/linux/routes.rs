//! Routes that come and go, from the kernel (rtnetlink(7)): a network was joined or left, or a tunnel opened. Addresses
//! say less and more often: those of IPv6 are announced again with every advertisement of a router.

use rustix::net::netlink::SocketAddrNetlink;
use rustix::net::{AddressFamily, RecvFlags, SocketFlags, SocketType, bind, recv, socket_with};
use std::io;
use std::os::fd::OwnedFd;

/// RTMGRP_IPV4_ROUTE and RTMGRP_IPV6_ROUTE of `linux/rtnetlink.h`.
const GROUPS: u32 = 0x40 | 0x400;
const RTM_NEWROUTE: u16 = 24;
const RTM_DELROUTE: u16 = 25;
/// `struct nlmsghdr` and `struct rtmsg`, bytes.
const HEADER: usize = 16;
const ROUTE: usize = 12;
const RT_TABLE_LOCAL: u8 = 255;
const RTN_UNICAST: u8 = 1;
const RTA_DST: u16 = 1;
const AF_INET6: u8 = 10;

/// Calls `changed` when routes that lead somewhere came or went.
///
/// # Errors
/// The system gives no such socket.
pub(super) async fn watch(mut changed: impl FnMut()) -> io::Result<()> {
    let flags = SocketFlags::CLOEXEC | SocketFlags::NONBLOCK;
    // Protocol 0 is NETLINK_ROUTE.
    let socket = socket_with(AddressFamily::NETLINK, SocketType::RAW, flags, None)?;
    bind(&socket, &SocketAddrNetlink::new(0, GROUPS))?;
    let socket = super::readable(socket)?;
    let mut buffer = vec![0; 8 * 1024];
    loop {
        let mut ready = socket.readable().await?;
        let mut lead = false;
        let drained = loop {
            match ready.try_io(|socket| read(socket.get_ref(), &mut buffer)) {
                // More than the socket holds: something changed, nobody knows what.
                Ok(Err(error)) if error.raw_os_error() == Some(libc::ENOBUFS) => lead = true,
                Ok(Err(error)) => break Err(error),
                Ok(Ok(bytes)) => lead |= leads_somewhere(&buffer[..bytes]),
                Err(_would_block) => break Ok(()),
            }
        };
        if lead {
            changed();
        }
        drained?;
    }
}

fn read(socket: &OwnedFd, buffer: &mut [u8]) -> io::Result<usize> {
    let (read, _whole) = recv(socket, buffer, RecvFlags::empty())?;
    Ok(read)
}

/// Whether one of the messages is about a route to other machines, by a router or on a link.
fn leads_somewhere(mut messages: &[u8]) -> bool {
    while let Some(length) = u32_at(messages, 0).map(|l| l as usize) {
        let Some(message) = messages.get(..length).filter(|m| m.len() >= HEADER) else { return false };
        let kind = u16_at(message, 4);
        if matches!(kind, Some(RTM_NEWROUTE | RTM_DELROUTE)) && is_outward(&message[HEADER..]) {
            return true;
        }
        messages = messages.get(length.next_multiple_of(4)..).unwrap_or_default();
    }
    false
}

fn is_outward(route: &[u8]) -> bool {
    let Some((head, mut attributes)) = route.split_at_checked(ROUTE) else { return false };
    let (family, table, kind) = (head[0], head[4], head[7]);
    if table == RT_TABLE_LOCAL || kind != RTN_UNICAST {
        return false;
    }
    while let Some(length) = u16_at(attributes, 0).map(usize::from) {
        let Some(attribute) = attributes.get(..length).filter(|a| a.len() >= 4) else { break };
        if u16_at(attribute, 2) == Some(RTA_DST) && family == AF_INET6 {
            // Link-local and multicast: every interface has them, also one that leads nowhere.
            let inward = matches!(attribute[4..], [0xfe, second, ..] if second & 0xc0 == 0x80)
                || attribute.get(4) == Some(&0xff);
            return !inward;
        }
        attributes = attributes.get(length.next_multiple_of(4)..).unwrap_or_default();
    }
    true
}

fn u16_at(bytes: &[u8], at: usize) -> Option<u16> {
    Some(u16::from_ne_bytes(bytes.get(at..at + 2)?.try_into().ok()?))
}

fn u32_at(bytes: &[u8], at: usize) -> Option<u32> {
    Some(u32::from_ne_bytes(bytes.get(at..at + 4)?.try_into().ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// One message: a route of `family` in `table` to `to`.
    fn message(kind: u16, family: u8, table: u8, route_kind: u8, to: &[u8]) -> Vec<u8> {
        let mut route = vec![family, (to.len() * 8) as u8, 0, 0, table, 2, 0, route_kind, 0, 0, 0, 0];
        if !to.is_empty() {
            route.extend(((to.len() + 4) as u16).to_ne_bytes());
            route.extend(RTA_DST.to_ne_bytes());
            route.extend(to);
        }
        let mut message = ((HEADER + route.len()) as u32).to_ne_bytes().to_vec();
        message.extend(kind.to_ne_bytes());
        message.extend([0; 10]);
        message.extend(route);
        message
    }

    #[test]
    fn only_routes_that_lead_somewhere_are_news() {
        let link_local = [0xfe, 0x80, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0];
        let global = [0x20, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0];
        let news = [
            message(RTM_NEWROUTE, 2, 254, RTN_UNICAST, &[]),
            message(RTM_DELROUTE, 2, 254, RTN_UNICAST, &[10, 0, 0, 0]),
            message(RTM_NEWROUTE, AF_INET6, 254, RTN_UNICAST, &[]),
            message(RTM_NEWROUTE, AF_INET6, 252, RTN_UNICAST, &global),
        ];
        let none = [
            message(16, 2, 254, RTN_UNICAST, &[]),
            message(RTM_NEWROUTE, 2, RT_TABLE_LOCAL, 2, &[10, 0, 0, 1]),
            message(RTM_NEWROUTE, AF_INET6, 254, RTN_UNICAST, &link_local),
            message(RTM_NEWROUTE, AF_INET6, 254, RTN_UNICAST, &[0xff, 0, 0, 0]),
        ];
        assert!(news.iter().all(|m| leads_somewhere(m)));
        assert!(!none.iter().any(|m| leads_somewhere(m)));
        assert!(!leads_somewhere(&none.concat()));
        assert!(leads_somewhere(&[none.concat(), news[0].clone()].concat()), "the last of several");
    }

    #[test]
    fn what_is_cut_off_is_no_news_and_no_end() {
        let whole = message(RTM_NEWROUTE, AF_INET6, 254, RTN_UNICAST, &[0xfe, 0x80]);
        for length in 0..whole.len() {
            leads_somewhere(&whole[..length]);
        }
        leads_somewhere(&[0; 64]);
        leads_somewhere(&[0xff; 64]);
    }
}
