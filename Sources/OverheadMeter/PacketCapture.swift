import CPcap
import Glibc

/// Why nothing can be captured.
package struct CaptureError: Error, Hashable, Sendable, CustomStringConvertible {
    package let description: String
    package init(_ description: String) { self.description = description }
}

/// Looks at the packets of an interface through libpcap. Needs CAP_NET_RAW. Belongs to one thread.
package struct PacketCapture: ~Copyable {
    private let handle: OpaquePointer
    private let port: UInt16
    private let linkHeaderBytes: Int

    /// Opens the interface, in the calling thread's network namespace, for UDP to or from `port`.
    package init(interface: String, port: UInt16) throws(CaptureError) {
        var message = [CChar](repeating: 0, count: Int(PCAP_ERRBUF_SIZE))
        func text() -> String {
            String(decoding: message.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
        }
        guard let handle = pcap_create(interface, &message) else {
            throw CaptureError("can't capture on \(interface): \(text())")
        }
        pcap_set_snaplen(handle, 256)  // all headers
        pcap_set_timeout(handle, 50)
        pcap_set_immediate_mode(handle, 1)
        guard pcap_activate(handle) >= 0 else {
            let reason = String(cString: pcap_geterr(handle))
            pcap_close(handle)
            throw CaptureError(
                "can't capture on \(interface): \(reason.isEmpty ? "does it exist, and are you root?" : reason)")
        }
        var filter = bpf_program()
        guard pcap_compile(handle, &filter, "udp port \(port)", 1, 0xFFFF_FFFF) == 0,
            pcap_setfilter(handle, &filter) == 0
        else {
            let reason = String(cString: pcap_geterr(handle))
            pcap_close(handle)
            throw CaptureError("can't filter for UDP port \(port) on \(interface): \(reason)")
        }
        pcap_freecode(&filter)
        let headerBytes: Int
        switch pcap_datalink(handle) {
        case DLT_EN10MB: headerBytes = 14
        case DLT_RAW: headerBytes = 0
        default:
            pcap_close(handle)
            throw CaptureError(
                "\(interface) is neither Ethernet nor bare IP; capture on the interface between the nodes")
        }
        self.handle = handle
        self.port = port
        linkHeaderBytes = headerBytes
    }

    deinit { pcap_close(handle) }

    /// Reports encapsulated packets until there were `count`, or `seconds` are over. Returns how many there were.
    package borrowing func run(count: Int, seconds: Double, _ report: (EncapsulatedPacket) -> Void) throws(CaptureError)
        -> Int
    {
        let deadline = ContinuousClock.now + .seconds(seconds)
        var found = 0
        while found < count, ContinuousClock.now < deadline {
            var header: UnsafeMutablePointer<pcap_pkthdr>?
            var data: UnsafePointer<UInt8>?
            switch pcap_next_ex(handle, &header, &data) {
            case 1:
                guard let header, let data else { continue }
                let frame = Array(UnsafeBufferPointer(start: data, count: Int(header.pointee.caplen)))
                if let packet = EncapsulatedPacket(frame: frame, linkHeaderBytes: linkHeaderBytes, port: port) {
                    found += 1
                    report(packet)
                }
            case 0: continue  // nothing within the read timeout
            default: throw CaptureError("the capture ended: \(String(cString: pcap_geterr(handle)))")
            }
        }
        return found
    }
}
