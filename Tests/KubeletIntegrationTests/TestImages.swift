import Glibc
import LinuxKit

/// A busybox image made on the spot, and imported under the names that the tests use.
enum TestImages {
    static let busybox = "docker.io/library/busybox:1.35"
    static let pause = "registry.k8s.io/pause:3.9"

    /// Writes an OCI archive (image-spec 1.0, one uncompressed layer) and hands it to the containerd at `socket`.
    static func install(socket: String, directory: String) async throws {
        let script = """
            set -e
            mkdir -p \(directory)/root/bin \(directory)/root/tmp \(directory)/root/etc \(directory)/oci/blobs/sha256
            cd \(directory)
            cp /bin/busybox root/bin/busybox
            for a in sh sleep cat echo wget nc httpd kill id env ls hostname printenv true false touch rm mkdir find grep sort stat head seq; do ln -sf busybox root/bin/$a; done
            printf 'root:x:0:0:root:/:/bin/sh\\n' > root/etc/passwd
            tar --numeric-owner --owner=0 --group=0 -C root -cf layer .
            put() { d=$(sha256sum $1 | cut -c1-64); s=$(stat -c %s $1); mv $1 oci/blobs/sha256/$d; }
            put layer; ld=$d; ls=$s
            printf '{"architecture":"amd64","os":"linux","config":{"Env":["PATH=/bin"],"Cmd":["/bin/sleep","2147483647"]},"rootfs":{"type":"layers","diff_ids":["sha256:%s"]}}' $ld > config
            put config; cd_=$d; cs=$s
            printf '{"schemaVersion":2,"mediaType":"application/vnd.oci.image.manifest.v1+json","config":{"mediaType":"application/vnd.oci.image.config.v1+json","digest":"sha256:%s","size":%s},"layers":[{"mediaType":"application/vnd.oci.image.layer.v1.tar","digest":"sha256:%s","size":%s}]}' $cd_ $cs $ld $ls > manifest
            put manifest; md=$d; ms=$s
            printf '{"imageLayoutVersion":"1.0.0"}' > oci/oci-layout
            printf '{"schemaVersion":2,"manifests":[{"mediaType":"application/vnd.oci.image.manifest.v1+json","digest":"sha256:%s","size":%s,"annotations":{"io.containerd.image.name":"\(busybox)"}}]}' $md $ms > oci/index.json
            tar -C oci -cf image.tar .
            ctr -a \(socket) -n k8s.io images import image.tar
            ctr -a \(socket) -n k8s.io images tag \(busybox) \(pause)
            """
        let code = try await run("sh", ["-c", script])
        guard code == 0 else { throw SyscallError(call: "import", subject: busybox, code: code) }
    }

    /// Runs a program to its end and returns its exit code.
    static func run(_ program: String, _ arguments: [String]) async throws -> CInt {
        let process = try ProgramStart(program, arguments: [program] + arguments).spawn()
        return try await DedicatedThread.run(name: "waitpid") {
            var status: CInt = 0
            while waitpid(process, &status, 0) < 0 && errno == EINTR {}
            return status & 0x7f == 0 ? (status >> 8) & 0xff : 128 + (status & 0x7f)
        }
    }
}
