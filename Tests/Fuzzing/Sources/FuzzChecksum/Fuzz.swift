import DataPlane
import DataPlaneTesting

/// The first byte says where the rest is cut in two; the sum over both pieces is that of the plain definition.
@_cdecl("LLVMFuzzerTestOneInput")
public func fuzz(_ data: UnsafePointer<UInt8>, _ count: Int) -> CInt {
    guard count > 1 else { return 0 }
    let bytes = UnsafeRawPointer(data + 1)
    let length = count - 1
    let cut = min(Int(data[0]) & ~1, length & ~1)
    var sum = InternetChecksum()
    sum.add(bytes, cut)
    sum.add(bytes + cut, length - cut)
    let plain = PacketFactory.plainChecksum([[UInt8](UnsafeBufferPointer(start: data + 1, count: length))[...]])
    precondition(sum.checksum.bigEndian == plain, "\(sum.checksum.bigEndian) is not \(plain)")
    return 0
}

/// What the package manager has the program start with, in place of libFuzzer's own `main`.
@_cdecl("FuzzChecksum_main")
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
