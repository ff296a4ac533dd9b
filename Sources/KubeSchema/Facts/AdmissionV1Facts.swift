extension SchemaFacts {
    /// Messages and enumerations of admission/v1; the notation is explained at ``SchemaFacts``.
    static let admissionV1 = """
        =Operation CREATE UPDATE DELETE CONNECT
        =PatchType JSONPatch
        +AdmissionReview;request 1 .AdmissionRequest ?;response 2 .AdmissionResponse ?
        AdmissionRequest;uid 1 s !;kind 2 @GroupVersionKind !;resource 3 @GroupVersionResource !;subResource 4 s;requestKind 13 @GroupVersionKind ?;requestResource 14 @GroupVersionResource ?;requestSubResource 15 s;name 5 s;namespace 6 s;operation 7 sOperation !;userInfo 8 :authentication/v1.UserInfo !;object 9 r;oldObject 10 r;dryRun 11 b ?;options 12 r
        AdmissionResponse;uid 1 s !;allowed 2 b !;status 3 @Status ?;patch 4 y;patchType 5 sPatchType ?;auditAnnotations 6 {s;warnings 7 *s A
        """
}
