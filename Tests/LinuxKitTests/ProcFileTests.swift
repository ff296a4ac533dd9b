import LinuxKit
import Testing

@Suite struct ProcFileTests {
    @Test func mountinfoLinesAreReadWithTheirEscapes() {
        let text = """
            36 35 98:0 /mnt1 /mnt\\0402 rw,noatime master:1 - ext3 /dev/root rw,errors=continue
            40 31 0:37 / /sys/fs/cgroup/systemd rw,relatime - cgroup cgroup rw,name=systemd
            a line of another form
            """
        let entries = Mounts.parse(text)
        #expect(entries.map(\.mountPoint) == ["/mnt 2", "/sys/fs/cgroup/systemd"])
        #expect(entries[0].root == "/mnt1")
        #expect(entries[0].type == "ext3")
        #expect(entries[1].superOptions == ["rw", "name=systemd"])
    }

    @Test func aStatLineIsReadWhateverTheCommandIsCalled() throws {
        let line = "42 (a) b (c) S 7 42 42 0 -1 4194560 1 0 0 0 0 0 0 0 20 0 1 0 9988 0 0"
        let status = try #require(ProcessStatus(statLine: line))
        #expect(status.pid == 42)
        #expect(status.command == "a) b (c")
        #expect(status.state == "S")
        #expect(status.parent == 7)
        #expect(status.startTime == 9988)
    }

    @Test(arguments: ["", "42 S 7", ")(", "x (a) S 7 1", "42 (a) S 7 1"])
    func otherStatLinesAreNone(_ line: String) {
        #expect(ProcessStatus(statLine: line) == nil)
    }

    @Test(arguments: [
        ("net.ipv4.ip_forward", "/proc/sys/net/ipv4/ip_forward"),
        ("net.ipv4.conf.eth0/100.forwarding", "/proc/sys/net/ipv4/conf/eth0.100/forwarding"),
    ])
    func settingsAreFiles(_ name: String, _ path: String) {
        #expect(Sysctl.path(name) == path)
    }
}
