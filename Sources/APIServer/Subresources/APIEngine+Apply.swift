import HTTPTransport
import KubeSchema

extension APIEngine {
    /// Server-side apply: makes the object, or one part of it, what the body says, for the manager that says it.
    func apply(_ body: [UInt8], _ request: APIRequest, part: Registry.Part, _ writer: HTTPResponseWriter)
        async throws(APIFailure)
    {
        let definition = request.definition
        let name = try request.requireName()
        guard !request.isHistoric else { throw .methodNotAllowed() }
        let validation = try request.fieldValidation()
        var (configuration, warnings): (JSON, [String])
        do throws(BodyError) {
            (configuration, warnings) = try ApplyConfiguration.decode(
                body: body, request.served, name: name, namespace: request.namespace, validation: validation)
        } catch {
            throw APIFailure(error)
        }
        configuration = VersionConversion.stored(configuration, from: request.served)
        let application = Registry.Application(
            configuration: configuration, manager: request.manager(.apply, part: part),
            force: request.query.flag("force"))
        let result = try await registry.apply(
            application, definition, request.namespace, name, part: part, dryRun: request.isDryRun)
        send(
            result.created ? 201 : 200, presenter(request).encode(result.object), writer, warnings: warnings)
    }
}
