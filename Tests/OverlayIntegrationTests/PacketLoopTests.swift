import Addressing
import Foundation
import Glibc
import LinuxKit
import Testing

/// What a packet costs overlayd besides system calls: nothing that allocates, counts references or locks.
///
/// The daemon runs with a library before it that counts such calls; counts, unlike times, are the same on any machine.
@Suite(
    .serialized, .enabled(if: OverlayBed.isPossible, "needs root and etcd"),
    .disabled(if: _isDebugAssertConfiguration(), "an unoptimized program counts references for every packet"),
    .timeLimit(.minutes(3)))
struct PacketLoopTests {
    @Test func packetsInUserSpaceNeedNoAllocationNoReferenceCountAndNoLock() async throws {
        let directory = FileManager.default.temporaryDirectory.path + "/packet-loop-\(getpid())"
        try FileManager.default.createDirectory(atPath: directory, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(atPath: directory) }
        try Self.counter.write(toFile: "\(directory)/counter.c", atomically: true, encoding: .utf8)
        let compile = "clang -O2 -shared -fPIC -o \(directory)/counter.so \(directory)/counter.c"
        try #require(system(compile) == 0, "\(compile)")

        let bed = try OverlayBed(["a", "b"])
        let etcd = try bed.startEtcd()
        defer { etcd.kill() }
        try await eventually("etcd answers", context: { etcd.output }) {
            try bed.etcdctl("put", "/coreos.com/network/config", OverlayTests.config).contains("OK")
        }
        let daemons = try ["a", "b"].map { node in
            try bed.start(
                node, OverlayBed.overlayd,
                ["--etcd-endpoints=\(bed.endpoint)", "--subnet-file=\(bed.subnetFile(node))", "--datapath=tun"],
                environment: ["LD_PRELOAD": "\(directory)/counter.so", "FJORD_CALLS": "\(directory)/calls-\(node)"])
        }
        defer { for daemon in daemons { daemon.kill() } }
        try await eventually("the nodes reach each other", context: { daemons.map(\.output).joined() }) {
            guard let a = bed.subnet("a")?.address, let b = bed.subnet("b")?.address else { return false }
            return try bed.pings("a", b) && bed.pings("b", a)
        }
        let target = try #require(bed.subnet("b")?.address)
        func calls() throws -> [UInt64] {
            try ["a", "b"].map { node in
                let data = try Data(contentsOf: URL(fileURLWithPath: "\(directory)/calls-\(node)"))
                return data.withUnsafeBytes { $0.load(as: UInt64.self) }
            }
        }
        func packets() throws -> Int {
            let text = try bed.run("b", "ip", ["-s", "-j", "link", "show", "flannel0"]).output
            let link = try JSONDecoder().decode([LinkStatistics].self, from: Data(text.utf8))
            return link[0].stats64.rx.packets
        }
        let server = try bed.start("b", "/usr/bin/iperf3", ["-s"])
        defer { server.kill() }
        for traffic in [["-u", "-b", "0", "-l", "64"], ["-P", "2"]] {
            let (callsBefore, packetsBefore) = (try calls(), try packets())
            try await eventually("traffic", context: { server.output }) {
                try bed.run("a", "/usr/bin/iperf3", ["-c", "\(target)", "-t", "2"] + traffic).code == 0
            }
            let moved = try packets() - packetsBefore
            let made = zip(try calls(), callsBefore).map { $0 - $1 }
            #expect(moved > 5_000)
            // What is left is the daemon's own: a look at the kernel's state now and then.
            for count in made { #expect(count < UInt64(moved) / 10, "\(count) calls for \(moved) packets, \(traffic)") }
        }
    }

    private struct LinkStatistics: Decodable {
        struct Counters: Decodable { var packets: Int }
        struct Both: Decodable { var rx: Counters }
        var stats64: Both
    }

    /// Counts, in a file that is mapped, the calls of the threads that move packets (overlayd calls them `in-` and
    /// `out-` with a number).
    static let counter = """
        #define _GNU_SOURCE
        #include <dlfcn.h>
        #include <fcntl.h>
        #include <pthread.h>
        #include <stdint.h>
        #include <stdlib.h>
        #include <string.h>
        #include <sys/mman.h>
        #include <sys/prctl.h>
        #include <unistd.h>

        static uint64_t *calls;
        static _Thread_local int looked, counts;

        __attribute__((constructor)) static void open_file(void) {
            const char *path = getenv("FJORD_CALLS");
            int file = path ? open(path, O_RDWR | O_CREAT, 0600) : -1;
            if (file < 0 || ftruncate(file, 4096)) return;
            void *mapped = mmap(0, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
            if (mapped != MAP_FAILED) calls = mapped;
        }

        static void note(void) {
            if (!calls) return;
            if (looked < 1000) {  // a thread gets its name soon after it begins
                char name[16] = "";
                looked++;
                prctl(PR_GET_NAME, name);
                counts = !strncmp(name, "in-", 3) || !strncmp(name, "out-", 4);
            }
            if (counts) __atomic_fetch_add(calls, 1, __ATOMIC_RELAXED);
        }

        #define WRAP(result, name, parameters, ...) \\
            result name parameters { \\
                static result (*real) parameters; \\
                if (!real) real = (result (*) parameters)dlsym(RTLD_NEXT, #name); \\
                note(); \\
                return real(__VA_ARGS__); \\
            }
        extern void *__libc_malloc(size_t);
        void *malloc(size_t size) { note(); return __libc_malloc(size); }
        extern void *__libc_realloc(void *, size_t);
        void *realloc(void *old, size_t size) { note(); return __libc_realloc(old, size); }
        WRAP(int, posix_memalign, (void **out, size_t alignment, size_t size), out, alignment, size)
        WRAP(int, pthread_mutex_lock, (pthread_mutex_t *mutex), mutex)
        WRAP(void *, swift_retain, (void *object), object)
        WRAP(void *, swift_allocObject, (void *type, size_t size, size_t mask), type, size, mask)
        """
}
