//! Main, Global and Local items into fields (§6.2.2.4 to §6.2.2.8).

use super::item::{Item, ItemType, Items};
use super::{
    ArrayField, DescriptorError, Field, MAX_DEPTH, MAX_DESCRIPTOR_BYTES, MAX_FIELDS, MAX_TOTAL_BITS,
    MAX_USAGES, ReportDescriptor, ReportType, Usage, UsageRange,
};

const APPLICATION: u32 = 0x01;

pub(super) fn parse(bytes: &[u8]) -> Result<ReportDescriptor, DescriptorError> {
    if bytes.len() > MAX_DESCRIPTOR_BYTES {
        return Err(DescriptorError::TooLong { came: bytes.len(), limit: MAX_DESCRIPTOR_BYTES });
    }
    let mut items = Items::new(bytes);
    let mut parser = Parser::default();
    while let Some(item) = items.next_item()? {
        match item.item_type {
            ItemType::Main => parser.main(&item)?,
            ItemType::Global => parser.global(&item)?,
            ItemType::Local => parser.local(&item)?,
            ItemType::Reserved => {}
        }
    }
    if !parser.collections.is_empty() {
        return Err(DescriptorError::UnclosedCollection {
            offset: bytes.len(),
            open: parser.collections.len(),
        });
    }
    Ok(parser.descriptor)
}

#[derive(Debug, Clone, Copy, Default)]
struct Globals {
    usage_page: u16,
    logical_min: i32,
    logical_max_signed: i32,
    logical_max_unsigned: u32,
    report_size: u32,
    report_count: u32,
    report_id: u8,
}

impl Globals {
    /// A maximum whose sign bit is set is a large number if the minimum is not negative: many descriptors write
    /// `25 FF` for 255.
    fn logical_max(&self) -> i32 {
        if self.logical_min >= 0 && self.logical_max_signed < 0 {
            return i32::try_from(self.logical_max_unsigned).unwrap_or(i32::MAX);
        }
        self.logical_max_signed
    }
}

/// A usage before its page is known; a four-byte usage brings its own page (§6.2.2.8).
#[derive(Debug, Clone, Copy)]
struct UnboundRange {
    page: Option<u16>,
    first: u16,
    last: u16,
}

#[derive(Debug, Default)]
struct Locals {
    usages: Vec<UnboundRange>,
    usage_minimum: Option<UnboundRange>,
    /// Inside a Delimiter set only the first, preferred usage counts.
    in_delimiter: bool,
    delimiter_used: bool,
}

#[derive(Debug, Default)]
struct Parser {
    descriptor: ReportDescriptor,
    globals: Globals,
    pushed: Vec<Globals>,
    locals: Locals,
    /// Open collections with the mark whether each is an application collection.
    collections: Vec<(Usage, bool)>,
    total_bits: u64,
}

impl Parser {
    fn main(&mut self, item: &Item) -> Result<(), DescriptorError> {
        match item.tag {
            0x8 => self.add(item, ReportType::Input)?,
            0x9 => self.add(item, ReportType::Output)?,
            0xB => self.add(item, ReportType::Feature)?,
            0xA => self.open_collection(item)?,
            0xC => {
                self.collections.pop().ok_or(DescriptorError::UnopenedCollection { offset: item.offset })?;
            }
            _ => {}
        }
        self.locals = Locals::default();
        Ok(())
    }

    fn open_collection(&mut self, item: &Item) -> Result<(), DescriptorError> {
        if self.collections.len() >= MAX_DEPTH {
            return Err(DescriptorError::TooDeep { offset: item.offset, limit: MAX_DEPTH });
        }
        let usage = self
            .locals
            .usages
            .first()
            .map(|range| self.bind(*range))
            .map_or(Usage::default(), |range| Usage::new(range.page, range.first));
        let application = item.data & 0xFF == APPLICATION;
        if self.collections.is_empty() {
            self.descriptor.top_level.push(usage);
        }
        if application && !self.descriptor.applications.contains(&usage) {
            self.descriptor.applications.push(usage);
        }
        self.collections.push((usage, application));
        Ok(())
    }

    fn global(&mut self, item: &Item) -> Result<(), DescriptorError> {
        match item.tag {
            0x0 => self.globals.usage_page = low_half(item.data),
            0x1 => self.globals.logical_min = item.signed(),
            0x2 => {
                self.globals.logical_max_signed = item.signed();
                self.globals.logical_max_unsigned = item.data;
            }
            0x7 => self.globals.report_size = item.data,
            0x8 => match u8::try_from(item.data) {
                Ok(id) if id != 0 => {
                    self.globals.report_id = id;
                    self.descriptor.numbered = true;
                }
                _ => return Err(DescriptorError::ReportId { offset: item.offset, came: item.data }),
            },
            0x9 => self.globals.report_count = item.data,
            0xA => {
                if self.pushed.len() >= MAX_DEPTH {
                    return Err(DescriptorError::PushTooDeep { offset: item.offset, limit: MAX_DEPTH });
                }
                self.pushed.push(self.globals);
            }
            0xB => {
                self.globals =
                    self.pushed.pop().ok_or(DescriptorError::PopWithoutPush { offset: item.offset })?;
            }
            // Physical range and units say nothing that call control needs.
            _ => {}
        }
        Ok(())
    }

    fn local(&mut self, item: &Item) -> Result<(), DescriptorError> {
        let id = low_half(item.data);
        let page = (item.size == 4).then(|| low_half(item.data >> 16));
        match item.tag {
            0x0 => self.add_usage(item, UnboundRange { page, first: id, last: id })?,
            0x1 => self.locals.usage_minimum = Some(UnboundRange { page, first: id, last: id }),
            0x2 => {
                if let Some(minimum) = self.locals.usage_minimum.take()
                    && minimum.first <= id
                {
                    let page = minimum.page.or(page);
                    self.add_usage(item, UnboundRange { page, first: minimum.first, last: id })?;
                }
            }
            0xA => {
                self.locals.in_delimiter = item.data == 1;
                self.locals.delimiter_used = false;
            }
            _ => {}
        }
        Ok(())
    }

    fn add_usage(&mut self, item: &Item, range: UnboundRange) -> Result<(), DescriptorError> {
        if self.locals.in_delimiter && std::mem::replace(&mut self.locals.delimiter_used, true) {
            return Ok(());
        }
        if self.locals.usages.len() >= MAX_USAGES {
            return Err(DescriptorError::TooManyUsages { offset: item.offset, limit: MAX_USAGES });
        }
        self.locals.usages.push(range);
        Ok(())
    }

    /// The page in force *now* is the usage's page: `09 07` followed by `05 09` is Button 7.
    fn bind(&self, range: UnboundRange) -> UsageRange {
        UsageRange {
            page: range.page.unwrap_or(self.globals.usage_page),
            first: range.first,
            last: range.last,
        }
    }

    fn add(&mut self, item: &Item, report_type: ReportType) -> Result<(), DescriptorError> {
        let Globals { report_size, report_count, report_id, .. } = self.globals;
        let bits = u64::from(report_size) * u64::from(report_count);
        let total_bits = self.total_bits.saturating_add(bits);
        if total_bits > MAX_TOTAL_BITS {
            return Err(DescriptorError::TooManyBits {
                offset: item.offset,
                came: total_bits,
                limit: MAX_TOTAL_BITS,
            });
        }
        self.total_bits = total_bits;
        let length = self.descriptor.lengths_bits.entry((report_type, report_id)).or_default();
        let bit_offset = *length;
        // Below MAX_TOTAL_BITS, so it fits.
        *length += u32::try_from(bits).unwrap_or(0);
        if bits == 0 || report_size > 32 || self.locals.usages.is_empty() {
            return Ok(());
        }
        let ranges: Vec<UsageRange> = self.locals.usages.iter().map(|range| self.bind(*range)).collect();
        let template = self.template(item, report_type, bit_offset);
        if item.data & 0x02 == 0 {
            let usage = Usage::new(ranges[0].page, ranges[0].first);
            let array = Some(ArrayField { usages: ranges });
            return self.push(item, Field { usage, array, count: report_count, ..template });
        }
        self.add_variables(item, &ranges, &template)
    }

    /// One field per usage; the last usage stands for all elements left (§6.2.2.8).
    fn add_variables(
        &mut self,
        item: &Item,
        ranges: &[UsageRange],
        template: &Field,
    ) -> Result<(), DescriptorError> {
        let mut left = self.globals.report_count;
        let mut bit_offset = template.bit_offset;
        let mut usages = ranges.iter().flat_map(UsageRange::usages).peekable();
        while let Some(usage) = usages.next() {
            if left == 0 {
                break;
            }
            let count = if usages.peek().is_none() { left } else { 1 };
            self.push(item, Field { usage, bit_offset, count, ..template.clone() })?;
            left -= count;
            bit_offset += template.bit_size * count;
        }
        Ok(())
    }

    fn template(&self, item: &Item, report_type: ReportType, bit_offset: u32) -> Field {
        let applications = || self.collections.iter().filter(|(_, application)| *application);
        Field {
            report_type,
            report_id: self.globals.report_id,
            bit_offset,
            bit_size: self.globals.report_size,
            count: 1,
            usage: Usage::default(),
            array: None,
            constant: item.data & 0x01 != 0,
            relative: item.data & 0x04 != 0,
            no_preferred_state: item.data & 0x20 != 0,
            null_state: item.data & 0x40 != 0,
            logical_min: self.globals.logical_min,
            logical_max: self.globals.logical_max(),
            application: applications().next().map_or(Usage::default(), |(usage, _)| *usage),
            collections: self.collections.iter().map(|(usage, _)| *usage).collect(),
            in_telephony: applications().any(|(usage, _)| usage.page == Usage::TELEPHONY_PAGE),
        }
    }

    fn push(&mut self, item: &Item, field: Field) -> Result<(), DescriptorError> {
        if self.descriptor.fields.len() >= MAX_FIELDS {
            return Err(DescriptorError::TooManyFields { offset: item.offset, limit: MAX_FIELDS });
        }
        self.descriptor.fields.push(field);
        Ok(())
    }
}

fn low_half(data: u32) -> u16 {
    let bytes = data.to_le_bytes();
    u16::from_le_bytes([bytes[0], bytes[1]])
}
