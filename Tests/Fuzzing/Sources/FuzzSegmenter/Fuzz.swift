import DataPlane
import DataPlaneTesting

/// Ten bytes of virtio-net header, then a packet whose length field is set right, so that more than the length is tried.
@_cdecl("LLVMFuzzerTestOneInput")
public func fuzz(_ data: UnsafePointer<UInt8>, _ count: Int) -> CInt {
    guard count > 10 else { return 0 }
    let header = VirtioNetHeader(loadedFrom: data)
    var packet = [UInt8](UnsafeBufferPointer(start: data + 10, count: count - 10))
    if packet.count >= 40, packet.count < 65_536 {
        let length = packet[0] >> 4 == 6 ? packet.count - 40 : packet.count
        let place = packet[0] >> 4 == 6 ? 4 : 2
        packet[place] = UInt8(length >> 8)
        packet[place + 1] = UInt8(length & 255)
    }
    // A packet that is cut is cut as the plain reference does it.
    if let segments = UnderTest.segments(of: packet, header) {
        precondition(segments == PlainReference.segments(of: packet, size: Int(header.segmentSize)))
    }
    // A checksum that is finished is finished inside the packet: the sanitizer looks on.
    packet.withUnsafeMutableBytes { buffer in
        guard let base = buffer.baseAddress, let inner = InnerPacket(base, length: buffer.count) else { return }
        _ = Segmenter.finishChecksum(inner, header)
        _ = inner.flowHash
        if inner.hopLimit > 0 { inner.decrementHopLimit() }
    }
    return 0
}

/// What the package manager has the program start with, in place of libFuzzer's own `main`.
@_cdecl("FuzzSegmenter_main")
public func start(
    _ count: CInt, _ arguments: UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>?
) -> CInt {
    var (count, arguments) = (count, arguments)
    return runFuzzer(&count, &arguments, fuzz)
}

@_silgen_name("LLVMFuzzerRunDriver")
private func runFuzzer(
    _ count: UnsafeMutablePointer<CInt>,
    _ arguments: UnsafeMutablePointer<UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>?>,
    _ body: @convention(c) (UnsafePointer<UInt8>, Int) -> CInt
) -> CInt
