import CLinux
import LinuxKit
import Testing

@Suite struct NetlinkMessageTests {
    @Test func aMessageHasTheKernelsLayout() {
        var message = NetlinkMessage(16, flags: 0x400)
        message.append(UInt32(7))
        message.attribute(3, text: "lo")
        message.nested(18) { $0.attribute(1, UInt16(0x0102)) }
        #expect(
            message.encoded(sequence: 5, acknowledged: true) == [
                40, 0, 0, 0, 16, 0, 0x05, 0x04, 5, 0, 0, 0, 0, 0, 0, 0,  // header: length, type, flags, sequence, port
                7, 0, 0, 0,
                7, 0, 3, 0, 0x6C, 0x6F, 0, 0,  // text with its zero byte, padded to 4
                12, 0, 18, 0x80, 6, 0, 1, 0, 2, 1, 0, 0,  // the nested flag; the inner length without padding
            ])
    }

    @Test func attributesAreReadBack() {
        var message = NetlinkMessage(16, flags: 0)
        message.append(UInt32(7))
        message.attribute(3, text: "eth0")
        message.nested(18) { $0.attribute(1, UInt32(9)) }
        let reply = NetlinkReply.parse(message.encoded(sequence: 1, acknowledged: false))
        #expect(reply.count == 1)
        let attributes = reply[0].attributes(after: UInt32.self)
        #expect(reply[0].header(UInt32.self) == 7)
        #expect(attributes.text(3) == "eth0")
        #expect(attributes.nested(18)?.value(1, as: UInt32.self) == 9)
        #expect(attributes.value(3, as: UInt64.self) == nil)
    }

    @Test(
        arguments: [
            ([], "nothing"),
            ([16, 0, 0, 0], "less than a header"),
            ([15, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0], "a length shorter than the header"),
            ([32, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0], "a length behind the end"),
        ] as [([UInt8], String)])
    func damagedDatagramsGiveNoMessage(_ bytes: [UInt8], _ why: String) {
        #expect(NetlinkReply.parse(bytes).isEmpty, Comment(rawValue: why))
    }

    @Test(arguments: [[3, 0, 1, 0], [8, 0, 1, 0, 1], [0, 0, 0, 0, 0, 0, 0, 0], [4]] as [[UInt8]])
    func damagedAttributesAreLeftOut(_ bytes: [UInt8]) {
        #expect(NetlinkAttributes(bytes[...]).bytes(1) == nil)
    }
}
