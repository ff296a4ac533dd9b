/// Explicit congestion notification across the tunnel (RFC 6040). On the way in, the outer header's TOS byte is a copy
/// of the inner one ("normal mode", section 4.1); on the way out, the two are combined here.
package enum CongestionMark {
    package static let mask: UInt8 = 0x03
    package static let notCapable: UInt8 = 0x00
    package static let capable1: UInt8 = 0x01
    package static let capable0: UInt8 = 0x02
    package static let experienced: UInt8 = 0x03

    /// Combines the marks by the table of RFC 6040 section 4.2. The DSCP stays the inner packet's.
    ///
    /// - Parameters:
    ///   - packet: May be written to.
    ///   - outer: The outer TOS byte.
    /// - Returns: `false` when the packet must be dropped: congestion was met, and its sender cannot be told.
    @inline(__always)
    package static func carryIn(_ packet: InnerPacket, outer: UInt8) -> Bool {
        let outer = outer & mask
        guard outer == experienced || outer == capable1 else { return true }
        let inner = packet.trafficClass & mask
        if inner == notCapable { return outer != experienced }
        if inner == experienced || inner == outer { return true }
        packet.setCongestionBits(outer)
        return true
    }
}
