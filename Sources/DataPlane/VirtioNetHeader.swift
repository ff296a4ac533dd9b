/// The ten bytes that a TUN device with `IFF_VNET_HDR` puts before each packet: how to cut a super-packet into
/// segments, and where a checksum is still to be finished.
///
/// Source: `struct virtio_net_hdr` in include/uapi/linux/virtio_net.h; integers in the byte order of the machine.
package struct VirtioNetHeader: Equatable {
    package static let length = 10

    /// The checksum field holds only the sum over the pseudo header.
    package static let needsChecksum: UInt8 = 1
    /// The checksum has been verified.
    package static let dataValid: UInt8 = 2

    package static let notSegmented: UInt8 = 0
    package static let tcp4: UInt8 = 1
    package static let tcp6: UInt8 = 4
    /// UDP datagrams of one size, over IPv4 or IPv6.
    package static let udp: UInt8 = 5
    /// May be set beside ``tcp4`` and ``tcp6``: the first segment carries CWR.
    package static let explicitCongestion: UInt8 = 0x80

    package var flags: UInt8 = 0
    package var segmentationType: UInt8 = 0
    /// Bytes of IP and transport headers before the payload that is cut.
    package var headerLength: UInt16 = 0
    /// Bytes of payload a segment.
    package var segmentSize: UInt16 = 0
    /// Where summing starts, from the first byte of the packet.
    package var checksumStart: UInt16 = 0
    /// Where the checksum field is, from `checksumStart`.
    package var checksumOffset: UInt16 = 0

    package init() {}

    @inline(__always)
    package init(loadedFrom bytes: UnsafeRawPointer) {
        flags = bytes.load(as: UInt8.self)
        segmentationType = bytes.load(fromByteOffset: 1, as: UInt8.self)
        headerLength = bytes.loadUnaligned(fromByteOffset: 2, as: UInt16.self)
        segmentSize = bytes.loadUnaligned(fromByteOffset: 4, as: UInt16.self)
        checksumStart = bytes.loadUnaligned(fromByteOffset: 6, as: UInt16.self)
        checksumOffset = bytes.loadUnaligned(fromByteOffset: 8, as: UInt16.self)
    }

    @inline(__always)
    package func store(to bytes: UnsafeMutableRawPointer) {
        bytes.storeBytes(of: flags, as: UInt8.self)
        bytes.storeBytes(of: segmentationType, toByteOffset: 1, as: UInt8.self)
        bytes.storeBytes(of: headerLength, toByteOffset: 2, as: UInt16.self)
        bytes.storeBytes(of: segmentSize, toByteOffset: 4, as: UInt16.self)
        bytes.storeBytes(of: checksumStart, toByteOffset: 6, as: UInt16.self)
        bytes.storeBytes(of: checksumOffset, toByteOffset: 8, as: UInt16.self)
    }
}
