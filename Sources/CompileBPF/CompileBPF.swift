import Foundation
import PackagePlugin

/// Compiles the eBPF programs of a target with the toolchain's own clang and hands them to it as a Swift constant.
///
/// For each `bpf/NAME.bpf.c` of the target the constant is `nameObject`: the ELF object, a character for each byte.
@main
struct CompileBPF: BuildToolPlugin {
    func createBuildCommands(context: PluginContext, target: any Target) throws -> [Command] {
        let folder = target.directoryURL.appending(path: "bpf")
        let files = try FileManager.default.contentsOfDirectory(at: folder, includingPropertiesForKeys: nil)
        let clang = try context.tool(named: "clang").url
        let objcopy = try context.tool(named: "llvm-objcopy").url
        return files.filter { $0.lastPathComponent.hasSuffix(".bpf.c") }.map { source in
            let name = String(source.lastPathComponent.dropLast(".bpf.c".count))
            let object = context.pluginWorkDirectoryURL.appending(path: "\(name).bpf.o")
            let constant = context.pluginWorkDirectoryURL.appending(path: "\(name)Object.swift")
            return .buildCommand(
                displayName: "Compiling \(name).bpf.c",
                executable: URL(fileURLWithPath: "/bin/sh"),
                arguments: [
                    "-c", Self.script, "sh", clang.path, source.path, object.path, constant.path, name, objcopy.path,
                ],
                inputFiles: files, outputFiles: [constant])
        }
    }

    /// Debug sections but BTF go: the kernel reads only that. The C library's headers lie in a folder named after the
    /// machine, which a compiler for another one does not search.
    private static let script = #"""
        set -e
        "$1" -target bpf -mcpu=v3 -O2 -g -Wall -Wextra -Werror -Wno-unused-function \
            -I"/usr/include/$(uname -m)-linux-gnu" -c "$2" -o "$3"
        "$6" --strip-debug "$3"
        {
            echo '/// Made at build time from the eBPF programs of this target.'
            printf 'let %sObject = """\n' "$5"
            od -An -v -tx1 -w32 "$3" | sed 's/ \(..\)/\\u{\1}/g; s/$/\\/'
            printf '\n"""\n'
        } > "$4"
        """#
}
