extension SchemaFacts {
    /// Messages and enumerations of core/v1; the notation is explained at ``SchemaFacts``.
    static let coreV1 = """
        =AppArmorProfileType Unconfined RuntimeDefault Localhost
        =AzureDataDiskCachingMode None ReadOnly ReadWrite
        =AzureDataDiskKind Shared Dedicated Managed
        =BindMountOption noexec nodev nosuid
        =ClaimResourceStatus ControllerResizeInProgress ControllerResizeInfeasible NodeResizePending NodeResizeInProgress NodeResizeInfeasible
        =ComponentConditionType Healthy
        =ConditionStatus True False Unknown
        =ContainerRestartPolicy Always Never OnFailure
        =ContainerRestartRuleAction Restart RestartAllContainers
        =ContainerRestartRuleOnExitCodesOperator In NotIn
        =DNSPolicy ClusterFirstWithHostNet ClusterFirst Default None
        =FinalizerName kubernetes
        =GRPCProbeMode Plaintext TLS
        =HTTPProtocol HTTP1 HTTP2
        =HostPathType "" DirectoryOrCreate Directory FileOrCreate File Socket CharDevice BlockDevice
        =IPFamily IPv4 IPv6 ""
        =IPFamilyPolicy SingleStack PreferDualStack RequireDualStack
        =LimitType Pod Container PersistentVolumeClaim
        =LoadBalancerIPMode VIP Proxy
        =MountPropagationMode None HostToContainer Bidirectional
        =NamespaceConditionType NamespaceDeletionDiscoveryFailure NamespaceDeletionContentFailure NamespaceDeletionGroupVersionParsingFailure NamespaceContentRemaining NamespaceFinalizersRemaining
        =NamespacePhase Active Terminating
        =NodeAddressType Hostname InternalIP ExternalIP InternalDNS ExternalDNS
        =NodeConditionType Ready MemoryPressure DiskPressure PIDPressure NetworkUnavailable GracefulNodeShutdownInProgress DrainInProgress Drained MaintenancePlanned MaintenanceInProgress
        =NodeInclusionPolicy Ignore Honor
        =NodePhase Pending Running Terminated
        =NodeSelectorOperator In NotIn Exists DoesNotExist Gt Lt
        =OSName linux windows
        =PersistentVolumeAccessMode ReadWriteOnce ReadOnlyMany ReadWriteMany ReadWriteOncePod
        =PersistentVolumeClaimConditionType Resizing FileSystemResizePending ControllerResizeError NodeResizeError ModifyVolumeError ModifyingVolume Unused
        =PersistentVolumeClaimModifyVolumeStatus Pending InProgress Infeasible
        =PersistentVolumeClaimPhase Pending Bound Lost
        =PersistentVolumeMode Block Filesystem
        =PersistentVolumePhase Pending Available Bound Released Failed
        =PersistentVolumeReclaimPolicy Recycle Delete Retain
        =PodConditionType ContainersReady Initialized Ready PodScheduled DisruptionTarget PodReadyToStartContainers PodResizePending PodResizeInProgress AllContainersRestarting
        =PodFSGroupChangePolicy OnRootMismatch Always
        =PodPhase Pending Running Succeeded Failed Unknown
        =PodQOSClass Guaranteed Burstable BestEffort
        =PodResizeStatus InProgress Deferred Infeasible
        =PodSELinuxChangePolicy Recursive MountOption
        =PreemptionPolicy PreemptLowerPriority Never
        =ProcMountType Default Unmasked
        =Protocol TCP UDP SCTP
        =PullPolicy Always Never IfNotPresent
        =RecursiveReadOnlyMode Disabled IfPossible Enabled
        =ReplicationControllerConditionType ReplicaFailure
        =ResourceHealthStatus Healthy Unhealthy Unknown
        =ResourceName cpu memory storage ephemeral-storage pods services replicationcontrollers resourcequotas secrets configmaps persistentvolumeclaims services.nodeports services.loadbalancers requests.cpu requests.memory requests.storage requests.ephemeral-storage limits.cpu limits.memory limits.ephemeral-storage
        =ResourceQuotaScope Terminating NotTerminating BestEffort NotBestEffort PriorityClass CrossNamespacePodAffinity VolumeAttributesClass
        =ResourceResizeRestartPolicy NotRequired RestartContainer
        =RestartPolicy Always OnFailure Never
        =ScopeSelectorOperator In NotIn Exists DoesNotExist
        =SeccompProfileType Unconfined RuntimeDefault Localhost
        =SecretType Opaque kubernetes.io/service-account-token kubernetes.io/dockercfg kubernetes.io/dockerconfigjson kubernetes.io/basic-auth kubernetes.io/ssh-auth kubernetes.io/tls bootstrap.kubernetes.io/token
        =ServiceAffinity ClientIP None
        =ServiceExternalTrafficPolicy Cluster Local
        =ServiceInternalTrafficPolicy Cluster Local
        =ServiceType ClusterIP NodePort LoadBalancer ExternalName
        =Signal SIGABRT SIGALRM SIGBUS SIGCHLD SIGCLD SIGCONT SIGFPE SIGHUP SIGILL SIGINT SIGIO SIGIOT SIGKILL SIGPIPE SIGPOLL SIGPROF SIGPWR SIGQUIT SIGSEGV SIGSTKFLT SIGSTOP SIGSYS SIGTERM SIGTRAP SIGTSTP SIGTTIN SIGTTOU SIGURG SIGUSR1 SIGUSR2 SIGVTALRM SIGWINCH SIGXCPU SIGXFSZ SIGRTMIN SIGRTMIN+1 SIGRTMIN+2 SIGRTMIN+3 SIGRTMIN+4 SIGRTMIN+5 SIGRTMIN+6 SIGRTMIN+7 SIGRTMIN+8 SIGRTMIN+9 SIGRTMIN+10 SIGRTMIN+11 SIGRTMIN+12 SIGRTMIN+13 SIGRTMIN+14 SIGRTMIN+15 SIGRTMAX-14 SIGRTMAX-13 SIGRTMAX-12 SIGRTMAX-11 SIGRTMAX-10 SIGRTMAX-9 SIGRTMAX-8 SIGRTMAX-7 SIGRTMAX-6 SIGRTMAX-5 SIGRTMAX-4 SIGRTMAX-3 SIGRTMAX-2 SIGRTMAX-1 SIGRTMAX
        =StorageMedium "" Memory HugePages HugePages-
        =SupplementalGroupsPolicy Merge Strict
        =TaintEffect NoSchedule PreferNoSchedule NoExecute
        =TerminationMessagePolicy File FallbackToLogsOnError
        =TolerationOperator Exists Equal Lt Gt
        =URIScheme HTTP HTTPS
        =UnsatisfiableConstraintAction DoNotSchedule ScheduleAnyway
        =VolumeHealthStatusType Inaccessible DataLoss Degraded
        Volume;name 1 s ! r;+ 2 .VolumeSource
        VolumeSource;hostPath 1 .HostPathVolumeSource ?;emptyDir 2 .EmptyDirVolumeSource ?;gcePersistentDisk 3 .GCEPersistentDiskVolumeSource ?;awsElasticBlockStore 4 .AWSElasticBlockStoreVolumeSource ?;gitRepo 5 .GitRepoVolumeSource ?;secret 6 .SecretVolumeSource ?;nfs 7 .NFSVolumeSource ?;iscsi 8 .ISCSIVolumeSource ?;glusterfs 9 .GlusterfsVolumeSource ?;persistentVolumeClaim 10 .PersistentVolumeClaimVolumeSource ?;rbd 11 .RBDVolumeSource ?;flexVolume 12 .FlexVolumeSource ?;cinder 13 .CinderVolumeSource ?;cephfs 14 .CephFSVolumeSource ?;flocker 15 .FlockerVolumeSource ?;downwardAPI 16 .DownwardAPIVolumeSource ?;fc 17 .FCVolumeSource ?;azureFile 18 .AzureFileVolumeSource ?;configMap 19 .ConfigMapVolumeSource ?;vsphereVolume 20 .VsphereVirtualDiskVolumeSource ?;quobyte 21 .QuobyteVolumeSource ?;azureDisk 22 .AzureDiskVolumeSource ?;photonPersistentDisk 23 .PhotonPersistentDiskVolumeSource ? r;projected 26 .ProjectedVolumeSource ? r;portworxVolume 24 .PortworxVolumeSource ?;scaleIO 25 .ScaleIOVolumeSource ?;storageos 27 .StorageOSVolumeSource ?;csi 28 .CSIVolumeSource ?;ephemeral 29 .EphemeralVolumeSource ?;image 30 .ImageVolumeSource ?
        PersistentVolumeClaimVolumeSource;claimName 1 s ! r;readOnly 2 b
        PersistentVolumeSource;gcePersistentDisk 1 .GCEPersistentDiskVolumeSource ?;awsElasticBlockStore 2 .AWSElasticBlockStoreVolumeSource ?;hostPath 3 .HostPathVolumeSource ?;glusterfs 4 .GlusterfsPersistentVolumeSource ?;nfs 5 .NFSVolumeSource ?;rbd 6 .RBDPersistentVolumeSource ?;iscsi 7 .ISCSIPersistentVolumeSource ?;cinder 8 .CinderPersistentVolumeSource ?;cephfs 9 .CephFSPersistentVolumeSource ?;fc 10 .FCVolumeSource ?;flocker 11 .FlockerVolumeSource ?;flexVolume 12 .FlexPersistentVolumeSource ?;azureFile 13 .AzureFilePersistentVolumeSource ?;vsphereVolume 14 .VsphereVirtualDiskVolumeSource ?;quobyte 15 .QuobyteVolumeSource ?;azureDisk 16 .AzureDiskVolumeSource ?;photonPersistentDisk 17 .PhotonPersistentDiskVolumeSource ? r;portworxVolume 18 .PortworxVolumeSource ?;scaleIO 19 .ScaleIOPersistentVolumeSource ?;local 20 .LocalVolumeSource ?;storageos 21 .StorageOSPersistentVolumeSource ?;csi 22 .CSIPersistentVolumeSource ?
        +PersistentVolume;metadata 1 @ObjectMeta;spec 2 .PersistentVolumeSpec;status 3 .PersistentVolumeStatus
        PersistentVolumeSpec;capacity 1 {q;+ 2 .PersistentVolumeSource;accessModes 3 *sPersistentVolumeAccessMode A;claimRef 4 .ObjectReference ?;persistentVolumeReclaimPolicy 5 sPersistentVolumeReclaimPolicy;storageClassName 6 s;mountOptions 7 *s A;volumeMode 8 sPersistentVolumeMode ?;nodeAffinity 9 .VolumeNodeAffinity ?;volumeAttributesClassName 10 s ?
        VolumeNodeAffinity;required 1 .NodeSelector ? r
        PersistentVolumeStatus;phase 1 sPersistentVolumePhase;message 2 s;reason 3 s;lastPhaseTransitionTime 4 t ?
        +PersistentVolumeList;metadata 1 @ListMeta;items 2 *.PersistentVolume ! r
        +PersistentVolumeClaim;metadata 1 @ObjectMeta;spec 2 .PersistentVolumeClaimSpec;status 3 .PersistentVolumeClaimStatus
        +PersistentVolumeClaimList;metadata 1 @ListMeta;items 2 *.PersistentVolumeClaim ! r
        PersistentVolumeClaimSpec;accessModes 1 *sPersistentVolumeAccessMode A;selector 4 @LabelSelector ?;resources 2 .VolumeResourceRequirements;volumeName 3 s;storageClassName 5 s ?;volumeMode 6 sPersistentVolumeMode ?;dataSource 7 .TypedLocalObjectReference ?;dataSourceRef 8 .TypedObjectReference ?;volumeAttributesClassName 9 s ?
        TypedObjectReference;apiGroup 1 s ? !;kind 2 s ! r;name 3 s ! r;namespace 4 s ?
        ModifyVolumeStatus;targetVolumeAttributesClassName 1 s r;status 2 sPersistentVolumeClaimModifyVolumeStatus ! r
        PersistentVolumeClaimCondition;type 1 sPersistentVolumeClaimConditionType ! r;status 2 sConditionStatus ! r;lastProbeTime 3 t;lastTransitionTime 4 t;reason 5 s;message 6 s
        VolumeHealthCondition;status 1 sVolumeHealthStatusType ! r;reason 2 s ! r;message 3 s
        VolumeHealthStatus;healthConditions 1 *.VolumeHealthCondition K=status,reason M=status;lastTransitionTime 2 t
        PodVolumeHealth;name 1 s ! r;healthConditions 2 *.VolumeHealthCondition K=status,reason M=status;lastTransitionTime 3 t
        PersistentVolumeClaimStatus;phase 1 sPersistentVolumeClaimPhase;accessModes 2 *sPersistentVolumeAccessMode A;capacity 3 {q;conditions 4 *.PersistentVolumeClaimCondition K=type M=type;allocatedResources 5 {q;allocatedResourceStatuses 7 {sClaimResourceStatus;currentVolumeAttributesClassName 8 s ?;modifyVolumeStatus 9 .ModifyVolumeStatus ?;healthStatus 10 .VolumeHealthStatus ?
        HostPathVolumeSource;path 1 s ! r;type 2 sHostPathType ?
        EmptyDirVolumeSource;medium 1 sStorageMedium;sizeLimit 2 q ?;mode 3 i ?
        GlusterfsVolumeSource;endpoints 1 s ! r;path 2 s ! r;readOnly 3 b
        GlusterfsPersistentVolumeSource;endpoints 1 s ! r;path 2 s ! r;readOnly 3 b;endpointsNamespace 4 s ?
        RBDVolumeSource;monitors 1 *s ! r A;image 2 s ! r;fsType 3 s;pool 4 s D="rbd";user 5 s D="admin";keyring 6 s D="/etc/ceph/keyring";secretRef 7 .LocalObjectReference ?;readOnly 8 b
        RBDPersistentVolumeSource;monitors 1 *s ! r A;image 2 s ! r;fsType 3 s;pool 4 s D="rbd";user 5 s D="admin";keyring 6 s D="/etc/ceph/keyring";secretRef 7 .SecretReference ?;readOnly 8 b
        CinderVolumeSource;volumeID 1 s ! r;fsType 2 s;readOnly 3 b;secretRef 4 .LocalObjectReference ?
        CinderPersistentVolumeSource;volumeID 1 s ! r;fsType 2 s;readOnly 3 b;secretRef 4 .SecretReference ?
        CephFSVolumeSource;monitors 1 *s ! r A;path 2 s;user 3 s;secretFile 4 s;secretRef 5 .LocalObjectReference ?;readOnly 6 b
        SecretReference;name 1 s;namespace 2 s
        CephFSPersistentVolumeSource;monitors 1 *s ! r A;path 2 s;user 3 s;secretFile 4 s;secretRef 5 .SecretReference ?;readOnly 6 b
        FlockerVolumeSource;datasetName 1 s;datasetUUID 2 s
        GCEPersistentDiskVolumeSource;pdName 1 s ! r;fsType 2 s;partition 3 i;readOnly 4 b
        QuobyteVolumeSource;registry 1 s ! r;volume 2 s ! r;readOnly 3 b;user 4 s;group 5 s;tenant 6 s
        FlexPersistentVolumeSource;driver 1 s ! r;fsType 2 s;secretRef 3 .SecretReference ?;readOnly 4 b;options 5 {s
        FlexVolumeSource;driver 1 s ! r;fsType 2 s;secretRef 3 .LocalObjectReference ?;readOnly 4 b;options 5 {s
        AWSElasticBlockStoreVolumeSource;volumeID 1 s ! r;fsType 2 s;partition 3 i;readOnly 4 b
        GitRepoVolumeSource;repository 1 s ! r;revision 2 s;directory 3 s
        SecretVolumeSource;secretName 1 s;items 2 *.KeyToPath A;defaultMode 3 i ?;optional 4 b ?;defaultUser 5 l ?
        SecretProjection;+ 1 .LocalObjectReference;items 2 *.KeyToPath A;optional 4 b ?
        NFSVolumeSource;server 1 s ! r;path 2 s ! r;readOnly 3 b
        ISCSIVolumeSource;targetPortal 1 s ! r;iqn 2 s ! r;lun 3 i ! r;iscsiInterface 4 s D="default";fsType 5 s;readOnly 6 b;portals 7 *s A;chapAuthDiscovery 8 b;chapAuthSession 11 b;secretRef 10 .LocalObjectReference ?;initiatorName 12 s ?
        ISCSIPersistentVolumeSource;targetPortal 1 s ! r;iqn 2 s ! r;lun 3 i ! r;iscsiInterface 4 s D="default";fsType 5 s;readOnly 6 b;portals 7 *s A;chapAuthDiscovery 8 b;chapAuthSession 11 b;secretRef 10 .SecretReference ?;initiatorName 12 s ?
        FCVolumeSource;targetWWNs 1 *s A;lun 2 i ?;fsType 3 s;readOnly 4 b;wwids 5 *s A
        AzureFileVolumeSource;secretName 1 s ! r;shareName 2 s ! r;readOnly 3 b
        AzureFilePersistentVolumeSource;secretName 1 s ! r;shareName 2 s ! r;readOnly 3 b;secretNamespace 4 s ? !
        VsphereVirtualDiskVolumeSource;volumePath 1 s ! r;fsType 2 s;storagePolicyName 3 s;storagePolicyID 4 s
        PhotonPersistentDiskVolumeSource;pdID 1 s ! r;fsType 2 s r
        AzureDiskVolumeSource;diskName 1 s ! r;diskURI 2 s ! r;cachingMode 3 sAzureDataDiskCachingMode ? D="ReadWrite";fsType 4 s ? D="ext4";readOnly 5 b ? D=false;kind 6 sAzureDataDiskKind ? r D="Shared"
        PortworxVolumeSource;volumeID 1 s ! r;fsType 2 s r;readOnly 3 b
        ScaleIOVolumeSource;gateway 1 s ! r;system 2 s ! r;secretRef 3 .LocalObjectReference ? ! r;sslEnabled 4 b;protectionDomain 5 s;storagePool 6 s;storageMode 7 s D="ThinProvisioned";volumeName 8 s r;fsType 9 s D="xfs";readOnly 10 b
        ScaleIOPersistentVolumeSource;gateway 1 s ! r;system 2 s ! r;secretRef 3 .SecretReference ? ! r;sslEnabled 4 b;protectionDomain 5 s;storagePool 6 s;storageMode 7 s D="ThinProvisioned";volumeName 8 s r;fsType 9 s D="xfs";readOnly 10 b
        StorageOSVolumeSource;volumeName 1 s r;volumeNamespace 2 s;fsType 3 s;readOnly 4 b;secretRef 5 .LocalObjectReference ?
        StorageOSPersistentVolumeSource;volumeName 1 s r;volumeNamespace 2 s;fsType 3 s;readOnly 4 b;secretRef 5 .ObjectReference ?
        ConfigMapVolumeSource;+ 1 .LocalObjectReference;items 2 *.KeyToPath A;defaultMode 3 i ?;optional 4 b ?;defaultUser 5 l ?
        ConfigMapProjection;+ 1 .LocalObjectReference;items 2 *.KeyToPath A;optional 4 b ?
        ServiceAccountTokenProjection;audience 1 s;expirationSeconds 2 l ?;path 3 s ! r;user 4 l ?
        ClusterTrustBundleProjection;name 1 s ?;signerName 2 s ?;labelSelector 3 @LabelSelector ?;optional 5 b ?;path 4 s ! r;user 6 l ?
        PodCertificateProjection;signerName 1 s r;keyType 2 s r;maxExpirationSeconds 3 i ?;credentialBundlePath 4 s;keyPath 5 s;certificateChainPath 6 s;userAnnotations 7 {s r;user 8 l ?
        ProjectedVolumeSource;sources 1 *.VolumeProjection ! A;defaultMode 2 i ?;defaultUser 3 l ?
        VolumeProjection;secret 1 .SecretProjection ?;downwardAPI 2 .DownwardAPIProjection ?;configMap 3 .ConfigMapProjection ?;serviceAccountToken 4 .ServiceAccountTokenProjection ?;clusterTrustBundle 5 .ClusterTrustBundleProjection ?;podCertificate 6 .PodCertificateProjection ?
        KeyToPath;key 1 s ! r;path 2 s ! r;mode 3 i ?;user 4 l ?
        LocalVolumeSource;path 1 s ! r;fsType 2 s ?
        CSIPersistentVolumeSource;driver 1 s ! r;volumeHandle 2 s ! r;readOnly 3 b;fsType 4 s;volumeAttributes 5 {s;controllerPublishSecretRef 6 .SecretReference ?;nodeStageSecretRef 7 .SecretReference ?;nodePublishSecretRef 8 .SecretReference ?;controllerExpandSecretRef 9 .SecretReference ?;nodeExpandSecretRef 10 .SecretReference ?
        CSIVolumeSource;driver 1 s ! r;readOnly 2 b ?;fsType 3 s ?;volumeAttributes 4 {s;nodePublishSecretRef 5 .LocalObjectReference ?
        EphemeralVolumeSource;volumeClaimTemplate 1 .PersistentVolumeClaimTemplate ? r
        PersistentVolumeClaimTemplate;metadata 1 @ObjectMeta;spec 2 .PersistentVolumeClaimSpec ! r
        ContainerPort;name 1 s;hostPort 2 i;containerPort 3 i ! r;protocol 4 sProtocol D="TCP";hostIP 5 s
        VolumeMount;name 1 s ! r;readOnly 2 b;recursiveReadOnly 7 sRecursiveReadOnlyMode ?;mountPath 3 s ! r;subPath 4 s;mountPropagation 5 sMountPropagationMode ?;subPathExpr 6 s;bindMountOptions 8 *s S
        VolumeDevice;name 1 s ! r;devicePath 2 s ! r
        EnvVar;name 1 s ! r;value 2 s;valueFrom 3 .EnvVarSource ?
        EnvVarSource;fieldRef 1 .ObjectFieldSelector ?;resourceFieldRef 2 .ResourceFieldSelector ?;configMapKeyRef 3 .ConfigMapKeySelector ?;secretKeyRef 4 .SecretKeySelector ?;fileKeyRef 5 .FileKeySelector ?
        FileKeySelector;volumeName 1 s ! r;path 2 s ! r;key 3 s ! r;optional 4 b ? D=false
        ObjectFieldSelector;apiVersion 1 s;fieldPath 2 s ! r
        ResourceFieldSelector;containerName 1 s;resource 2 s ! r;divisor 3 q
        ConfigMapKeySelector;+ 1 .LocalObjectReference;key 2 s ! r;optional 3 b ?
        SecretKeySelector;+ 1 .LocalObjectReference;key 2 s ! r;optional 3 b ?
        EnvFromSource;prefix 1 s;configMapRef 2 .ConfigMapEnvSource ?;secretRef 3 .SecretEnvSource ?
        ConfigMapEnvSource;+ 1 .LocalObjectReference;optional 2 b ?
        SecretEnvSource;+ 1 .LocalObjectReference;optional 2 b ?
        HTTPHeader;name 1 s ! r;value 2 s ! r
        HTTPGetAction;path 1 s;port 2 p ! r;host 3 s;scheme 4 sURIScheme;httpHeaders 5 *.HTTPHeader A;protocol 6 sHTTPProtocol ?
        TCPSocketAction;port 1 p ! r;host 2 s
        GRPCAction;port 1 i ! r;service 2 s ? ! D="";mode 3 sGRPCProbeMode ?
        ExecAction;command 1 *s A
        SleepAction;seconds 1 l ! r
        Probe;+ 1 .ProbeHandler;initialDelaySeconds 2 i;timeoutSeconds 3 i;periodSeconds 4 i;successThreshold 5 i;failureThreshold 6 i;terminationGracePeriodSeconds 7 l ?
        ContainerResizePolicy;resourceName 1 sResourceName ! r;restartPolicy 2 sResourceResizeRestartPolicy ! r
        Capabilities;add 1 *s A;drop 2 *s A
        ResourceRequirements;limits 1 {q;requests 2 {q;claims 3 *.ResourceClaim K=name
        VolumeResourceRequirements;limits 1 {q;requests 2 {q
        ResourceClaim;name 1 s ! r;request 2 s
        Container;name 1 s ! r;image 2 s;command 3 *s A;args 4 *s A;workingDir 5 s;ports 6 *.ContainerPort K=containerPort,protocol M=containerPort;envFrom 19 *.EnvFromSource A;env 7 *.EnvVar K=name M=name;resources 8 .ResourceRequirements;resizePolicy 23 *.ContainerResizePolicy A;restartPolicy 24 sContainerRestartPolicy ?;restartPolicyRules 25 *.ContainerRestartRule A;volumeMounts 9 *.VolumeMount K=mountPath M=mountPath;volumeDevices 21 *.VolumeDevice K=devicePath M=devicePath;livenessProbe 10 .Probe ?;readinessProbe 11 .Probe ?;startupProbe 22 .Probe ?;lifecycle 12 .Lifecycle ?;terminationMessagePath 13 s;terminationMessagePolicy 20 sTerminationMessagePolicy;imagePullPolicy 14 sPullPolicy;securityContext 15 .SecurityContext ?;stdin 16 b;stdinOnce 17 b;tty 18 b
        ProbeHandler;exec 1 .ExecAction ?;httpGet 2 .HTTPGetAction ?;tcpSocket 3 .TCPSocketAction ?;grpc 4 .GRPCAction ?
        LifecycleHandler;exec 1 .ExecAction ?;httpGet 2 .HTTPGetAction ?;tcpSocket 3 .TCPSocketAction ?;sleep 4 .SleepAction ?
        Lifecycle;postStart 1 .LifecycleHandler ?;preStop 2 .LifecycleHandler ?;stopSignal 3 sSignal ?
        ContainerStateWaiting;reason 1 s;message 2 s
        ContainerStateRunning;startedAt 1 t
        ContainerStateTerminated;exitCode 1 i ! r;signal 2 i;reason 3 s;message 4 s;startedAt 5 t;finishedAt 6 t;containerID 7 s
        ContainerState;waiting 1 .ContainerStateWaiting ?;running 2 .ContainerStateRunning ?;terminated 3 .ContainerStateTerminated ?
        ContainerStatus;name 1 s ! r;state 2 .ContainerState;lastState 3 .ContainerState;ready 4 b ! r;restartCount 5 i ! r;image 6 s ! r;imageID 7 s ! r;containerID 8 s;started 9 b ?;allocatedResources 10 {q;resources 11 .ResourceRequirements ?;volumeMounts 12 *.VolumeMountStatus K=mountPath M=mountPath;user 13 .ContainerUser ?;allocatedResourcesStatus 14 *.ResourceStatus K=name M=name;stopSignal 15 sSignal ?
        ResourceStatus;name 1 sResourceName ! r;resources 2 *.ResourceHealth r K=resourceID
        ResourceHealth;resourceID 1 s ! r;health 2 sResourceHealthStatus r;message 6 s ?
        ContainerUser;linux 1 .LinuxContainerUser ?
        LinuxContainerUser;uid 1 l ! r;gid 2 l ! r;supplementalGroups 3 *l A
        PodCondition;type 1 sPodConditionType ! r;observedGeneration 7 l;status 2 sConditionStatus ! r;lastProbeTime 3 t;lastTransitionTime 4 t;reason 5 s;message 6 s
        VolumeMountStatus;name 1 s ! r;mountPath 2 s ! r;readOnly 3 b;recursiveReadOnly 4 sRecursiveReadOnlyMode ?;volumeStatus 5 .VolumeStatus ?
        VolumeStatus;image 1 .ImageVolumeStatus ?
        ImageVolumeStatus;imageRef 1 s r
        ContainerRestartRule;action 1 sContainerRestartRuleAction r;exitCodes 2 .ContainerRestartRuleOnExitCodes ?
        ContainerRestartRuleOnExitCodes;operator 1 sContainerRestartRuleOnExitCodesOperator r;values 2 *i S
        NodeSelector;nodeSelectorTerms 1 *.NodeSelectorTerm ! r A
        NodeSelectorTerm;matchExpressions 1 *.NodeSelectorRequirement A;matchFields 2 *.NodeSelectorRequirement A
        NodeSelectorRequirement;key 1 s ! r;operator 2 sNodeSelectorOperator ! r;values 3 *s A
        TopologySelectorTerm;matchLabelExpressions 1 *.TopologySelectorLabelRequirement A
        TopologySelectorLabelRequirement;key 1 s ! r;values 2 *s ! r A
        Affinity;nodeAffinity 1 .NodeAffinity ?;podAffinity 2 .PodAffinity ?;podAntiAffinity 3 .PodAntiAffinity ?
        PodAffinity;requiredDuringSchedulingIgnoredDuringExecution 1 *.PodAffinityTerm A;preferredDuringSchedulingIgnoredDuringExecution 2 *.WeightedPodAffinityTerm A
        PodAntiAffinity;requiredDuringSchedulingIgnoredDuringExecution 1 *.PodAffinityTerm A;preferredDuringSchedulingIgnoredDuringExecution 2 *.WeightedPodAffinityTerm A
        WeightedPodAffinityTerm;weight 1 i ! r;podAffinityTerm 2 .PodAffinityTerm ! r
        PodAffinityTerm;labelSelector 1 @LabelSelector ?;namespaces 2 *s A;topologyKey 3 s ! r;namespaceSelector 4 @LabelSelector ?;matchLabelKeys 5 *s A;mismatchLabelKeys 6 *s A
        NodeAffinity;requiredDuringSchedulingIgnoredDuringExecution 1 .NodeSelector ?;preferredDuringSchedulingIgnoredDuringExecution 2 *.PreferredSchedulingTerm A
        PreferredSchedulingTerm;weight 1 i ! r;preference 2 .NodeSelectorTerm ! r
        Taint;key 1 s ! r;value 2 s;effect 3 sTaintEffect ! r;timeAdded 4 t ?
        Toleration;key 1 s;operator 2 sTolerationOperator;value 3 s;effect 4 sTaintEffect;tolerationSeconds 5 l ?
        PodReadinessGate;conditionType 1 sPodConditionType ! r
        PodSpec;volumes 1 *.Volume K=name M=name R;initContainers 20 *.Container r K=name M=name;containers 2 *.Container ! r K=name M=name;ephemeralContainers 34 *.EphemeralContainer K=name M=name;restartPolicy 3 sRestartPolicy;terminationGracePeriodSeconds 4 l ?;activeDeadlineSeconds 5 l ?;dnsPolicy 6 sDNSPolicy;nodeSelector 7 {s A;serviceAccountName 8 s;serviceAccount 9 s;automountServiceAccountToken 21 b ?;nodeName 10 s;hostNetwork 11 b;hostPID 12 b;hostIPC 13 b;shareProcessNamespace 27 b ?;securityContext 14 .PodSecurityContext ?;imagePullSecrets 15 *.LocalObjectReference K=name M=name;hostname 16 s;subdomain 17 s;affinity 18 .Affinity ?;schedulerName 19 s;tolerations 22 *.Toleration A;hostAliases 23 *.HostAlias K=ip M=ip;priorityClassName 24 s;priority 25 i ?;dnsConfig 26 .PodDNSConfig ?;readinessGates 28 *.PodReadinessGate A;runtimeClassName 29 s ?;enableServiceLinks 30 b ?;preemptionPolicy 31 sPreemptionPolicy ?;overhead 32 {q;topologySpreadConstraints 33 *.TopologySpreadConstraint K=topologyKey,whenUnsatisfiable M=topologyKey;setHostnameAsFQDN 35 b ?;os 36 .PodOS ?;hostUsers 37 b ?;schedulingGates 38 *.PodSchedulingGate K=name M=name;resourceClaims 39 *.PodResourceClaim K=name M=name R;resources 40 .ResourceRequirements ?;hostnameOverride 41 s ?;schedulingGroup 43 .PodSchedulingGroup ?;evictionResponders 44 *.EvictionResponder K=name M=name
        PodResourceClaim;name 1 s ! r;resourceClaimName 3 s ? r;resourceClaimTemplateName 4 s ? r
        PodResourceClaimStatus;name 1 s ! r;resourceClaimName 2 s ?
        PodExtendedResourceClaimStatus;requestMappings 1 *.ContainerExtendedResourceRequest ! r A;resourceClaimName 2 s ! r
        ContainerExtendedResourceRequest;containerName 1 s ! r;resourceName 2 s ! r;requestName 3 s ! r
        PodOS;name 1 sOSName ! r
        PodSchedulingGate;name 1 s ! r
        PodSchedulingGroup;podGroupName 1 s ?
        TopologySpreadConstraint;maxSkew 1 i ! r;topologyKey 2 s ! r;whenUnsatisfiable 3 sUnsatisfiableConstraintAction ! r;labelSelector 4 @LabelSelector ?;minDomains 5 i ?;nodeAffinityPolicy 6 sNodeInclusionPolicy ?;nodeTaintsPolicy 7 sNodeInclusionPolicy ?;matchLabelKeys 8 *s A
        HostAlias;ip 1 s ! r;hostnames 2 *s r A
        PodSecurityContext;seLinuxOptions 1 .SELinuxOptions ?;windowsOptions 8 .WindowsSecurityContextOptions ?;runAsUser 2 l ?;runAsGroup 6 l ?;runAsNonRoot 3 b ?;supplementalGroups 4 *l A;supplementalGroupsPolicy 12 sSupplementalGroupsPolicy ?;fsGroup 5 l ?;sysctls 7 *.Sysctl A;fsGroupChangePolicy 9 sPodFSGroupChangePolicy ?;seccompProfile 10 .SeccompProfile ?;appArmorProfile 11 .AppArmorProfile ?;seLinuxChangePolicy 13 sPodSELinuxChangePolicy ?
        SeccompProfile;type 1 sSeccompProfileType ! r;localhostProfile 2 s ?
        AppArmorProfile;type 1 sAppArmorProfileType ! r;localhostProfile 2 s ?
        PodDNSConfig;nameservers 1 *s A;searches 2 *s A;options 3 *.PodDNSConfigOption A
        PodDNSConfigOption;name 1 s r;value 2 s ?
        PodIP;ip 1 s ! r
        HostIP;ip 1 s ! r
        EphemeralContainerCommon;name 1 s ! r;image 2 s r;command 3 *s A;args 4 *s A;workingDir 5 s;ports 6 *.ContainerPort K=containerPort,protocol M=containerPort;envFrom 19 *.EnvFromSource A;env 7 *.EnvVar K=name M=name;resources 8 .ResourceRequirements;resizePolicy 23 *.ContainerResizePolicy A;restartPolicy 24 sContainerRestartPolicy ?;restartPolicyRules 25 *.ContainerRestartRule A;volumeMounts 9 *.VolumeMount K=mountPath M=mountPath;volumeDevices 21 *.VolumeDevice K=devicePath M=devicePath;livenessProbe 10 .Probe ?;readinessProbe 11 .Probe ?;startupProbe 22 .Probe ?;lifecycle 12 .Lifecycle ?;terminationMessagePath 13 s;terminationMessagePolicy 20 sTerminationMessagePolicy;imagePullPolicy 14 sPullPolicy;securityContext 15 .SecurityContext ?;stdin 16 b;stdinOnce 17 b;tty 18 b
        EphemeralContainer;+ 1 .EphemeralContainerCommon;targetContainerName 2 s
        EvictionResponder;name 1 s ! r;priority 2 i ? ! r
        PodStatus;observedGeneration 17 l;phase 1 sPodPhase;conditions 2 *.PodCondition K=type M=type;message 3 s;reason 4 s;nominatedNodeName 11 s;hostIP 5 s;hostIPs 16 *.HostIP A M=ip;podIP 6 s;podIPs 12 *.PodIP K=ip M=ip;startTime 7 t ?;initContainerStatuses 10 *.ContainerStatus r A;containerStatuses 8 *.ContainerStatus A;qosClass 9 sPodQOSClass;ephemeralContainerStatuses 13 *.ContainerStatus A;resize 14 sPodResizeStatus;resourceClaimStatuses 15 *.PodResourceClaimStatus K=name M=name R;extendedResourceClaimStatus 18 .PodExtendedResourceClaimStatus ?;allocatedResources 19 {q;resources 20 .ResourceRequirements ?;nodeAllocatableResourceClaimStatuses 21 *.NodeAllocatableResourceClaimStatus K=resourceClaimName M=resourceClaimName;volumeHealth 22 *.PodVolumeHealth K=name
        +Pod;metadata 1 @ObjectMeta;spec 2 .PodSpec;status 3 .PodStatus
        +PodList;metadata 1 @ListMeta;items 2 *.Pod ! r
        PodTemplateSpec;metadata 1 @ObjectMeta;spec 2 .PodSpec
        +PodTemplate;metadata 1 @ObjectMeta;template 2 .PodTemplateSpec
        +PodTemplateList;metadata 1 @ListMeta;items 2 *.PodTemplate ! r
        ReplicationControllerSpec;replicas 1 i ? D=1;minReadySeconds 4 i D=0;selector 2 {s A;template 3 .PodTemplateSpec ?
        ReplicationControllerStatus;replicas 1 i ! r;fullyLabeledReplicas 2 i;readyReplicas 4 i;availableReplicas 5 i;observedGeneration 3 l;conditions 6 *.ReplicationControllerCondition K=type M=type
        ReplicationControllerCondition;type 1 sReplicationControllerConditionType ! r;status 2 sConditionStatus ! r;lastTransitionTime 3 t;reason 4 s;message 5 s
        +ReplicationController;metadata 1 @ObjectMeta;spec 2 .ReplicationControllerSpec;status 3 .ReplicationControllerStatus
        +ReplicationControllerList;metadata 1 @ListMeta;items 2 *.ReplicationController ! r
        SessionAffinityConfig;clientIP 1 .ClientIPConfig ?
        ClientIPConfig;timeoutSeconds 1 i ?
        ServiceStatus;loadBalancer 1 .LoadBalancerStatus;conditions 2 *@Condition K=type M=type
        LoadBalancerStatus;ingress 1 *.LoadBalancerIngress A
        LoadBalancerIngress;ip 1 s;hostname 2 s;ipMode 3 sLoadBalancerIPMode ?;ports 4 *.PortStatus A
        ServiceSpec;ports 1 *.ServicePort r K=port,protocol M=port;selector 2 {s A;clusterIP 3 s;clusterIPs 18 *s A;type 4 sServiceType;externalIPs 5 *s A;sessionAffinity 7 sServiceAffinity;loadBalancerIP 8 s;loadBalancerSourceRanges 9 *s A;externalName 10 s;externalTrafficPolicy 11 sServiceExternalTrafficPolicy;healthCheckNodePort 12 i;publishNotReadyAddresses 13 b;sessionAffinityConfig 14 .SessionAffinityConfig ?;ipFamilies 19 *sIPFamily A;ipFamilyPolicy 17 sIPFamilyPolicy ?;allocateLoadBalancerNodePorts 20 b ?;loadBalancerClass 21 s ?;internalTrafficPolicy 22 sServiceInternalTrafficPolicy ?;trafficDistribution 23 s ?
        ServicePort;name 1 s;protocol 2 sProtocol D="TCP";appProtocol 6 s ?;port 3 i ! r;targetPort 4 p;nodePort 5 i
        +Service;metadata 1 @ObjectMeta;spec 2 .ServiceSpec;status 3 .ServiceStatus
        +ServiceList;metadata 1 @ListMeta;items 2 *.Service ! r
        +ServiceAccount;metadata 1 @ObjectMeta;secrets 2 *.ObjectReference K=name M=name;imagePullSecrets 3 *.LocalObjectReference A;automountServiceAccountToken 4 b ?
        +ServiceAccountList;metadata 1 @ListMeta;items 2 *.ServiceAccount ! r
        +Endpoints;metadata 1 @ObjectMeta;subsets 2 *.EndpointSubset A
        EndpointSubset;addresses 1 *.EndpointAddress A;notReadyAddresses 2 *.EndpointAddress A;ports 3 *.EndpointPort A
        EndpointAddress;ip 1 s ! r;hostname 3 s;nodeName 4 s ?;targetRef 2 .ObjectReference ?
        EndpointPort;name 1 s;port 2 i ! r;protocol 3 sProtocol;appProtocol 4 s ?
        +EndpointsList;metadata 1 @ListMeta;items 2 *.Endpoints ! r
        NodeSpec;podCIDR 1 s;podCIDRs 7 *s S M;providerID 3 s;unschedulable 4 b;taints 5 *.Taint A;configSource 6 .NodeConfigSource ?;externalID 2 s;podPreemptionPolicy 8 .NodePodPreemptionPolicy ?
        NodePodPreemptionPolicy;disableResizePreemption 1 *s S
        NodeConfigSource;configMap 2 .ConfigMapNodeConfigSource ? r
        ConfigMapNodeConfigSource;namespace 1 s ! r;name 2 s ! r;uid 3 s;resourceVersion 4 s;kubeletConfigKey 5 s ! r
        DaemonEndpoint;Port 1 i ! r
        NodeDaemonEndpoints;kubeletEndpoint 1 .DaemonEndpoint
        NodeRuntimeHandlerFeatures;recursiveReadOnlyMounts 1 b ?;userNamespaces 2 b ?
        NodeRuntimeHandler;name 1 s !;features 2 .NodeRuntimeHandlerFeatures ?
        NodeFeatures;supplementalGroupsPolicy 1 b ?
        NodeSystemInfo;machineID 1 s ! r;systemUUID 2 s ! r;bootID 3 s ! r;kernelVersion 4 s ! r;osImage 5 s ! r;containerRuntimeVersion 6 s ! r;kubeletVersion 7 s ! r;kubeProxyVersion 8 s ! r;operatingSystem 9 s ! r;architecture 10 s ! r;swap 11 .NodeSwapStatus ? r
        NodeSwapStatus;capacity 1 l ?
        NodeConfigStatus;assigned 1 .NodeConfigSource ?;active 2 .NodeConfigSource ?;lastKnownGood 3 .NodeConfigSource ?;error 4 s
        NodeStatus;capacity 1 {q;allocatable 2 {q;phase 3 sNodePhase;conditions 4 *.NodeCondition K=type M=type;addresses 5 *.NodeAddress K=type M=type;daemonEndpoints 6 .NodeDaemonEndpoints;nodeInfo 7 .NodeSystemInfo;images 8 *.ContainerImage A;volumesInUse 9 *s A;volumesAttached 10 *.AttachedVolume A;config 11 .NodeConfigStatus ?;runtimeHandlers 12 *.NodeRuntimeHandler A;features 13 .NodeFeatures ?;declaredFeatures 14 *s A
        AttachedVolume;name 1 s ! r;devicePath 2 s ! r
        AvoidPods;preferAvoidPods 1 *.PreferAvoidPodsEntry A
        PreferAvoidPodsEntry;podSignature 1 .PodSignature ! r;evictionTime 2 t;reason 3 s;message 4 s
        PodSignature;podController 1 @OwnerReference ?
        ContainerImage;names 1 *s ! A;sizeBytes 2 l
        NodeCondition;type 1 sNodeConditionType ! r;status 2 sConditionStatus ! r;lastHeartbeatTime 3 t;lastTransitionTime 4 t;reason 5 s;message 6 s
        NodeAddress;type 1 sNodeAddressType ! r;address 2 s ! r
        +Node;metadata 1 @ObjectMeta;spec 2 .NodeSpec;status 3 .NodeStatus
        +NodeList;metadata 1 @ListMeta;items 2 *.Node ! r
        NamespaceSpec;finalizers 1 *sFinalizerName A
        NamespaceStatus;phase 1 sNamespacePhase;conditions 2 *.NamespaceCondition K=type M=type
        NamespaceCondition;type 1 sNamespaceConditionType ! r;status 2 sConditionStatus ! r;lastTransitionTime 4 t;reason 5 s;message 6 s
        +Namespace;metadata 1 @ObjectMeta;spec 2 .NamespaceSpec;status 3 .NamespaceStatus
        +NamespaceList;metadata 1 @ListMeta;items 2 *.Namespace ! r
        +Binding;metadata 1 @ObjectMeta;target 2 .ObjectReference ! r
        Preconditions;uid 1 s ?
        +PodLogOptions;container 1 s;follow 2 b;previous 3 b;sinceSeconds 4 l ?;sinceTime 5 t ?;timestamps 6 b;tailLines 7 l ?;limitBytes 8 l ?;insecureSkipTLSVerifyBackend 9 b;stream 10 s ?
        +PodAttachOptions;stdin 1 b;stdout 2 b;stderr 3 b;tty 4 b;container 5 s
        +PodExecOptions;stdin 1 b;stdout 2 b;stderr 3 b;tty 4 b;container 5 s;command 6 *s ! r A
        +PodPortForwardOptions;ports 1 *i A
        +PodProxyOptions;path 1 s
        +NodeProxyOptions;path 1 s
        +ServiceProxyOptions;path 1 s
        ObjectReference;kind 1 s;namespace 2 s;name 3 s;uid 4 s;apiVersion 5 s;resourceVersion 6 s;fieldPath 7 s
        LocalObjectReference;name 1 s D=""
        TypedLocalObjectReference;apiGroup 1 s ? !;kind 2 s ! r;name 3 s ! r
        +SerializedReference;reference 1 .ObjectReference
        EventSource;component 1 s;host 2 s
        +Event;metadata 1 @ObjectMeta ! r;involvedObject 2 .ObjectReference ! r;reason 3 s;message 4 s;source 5 .EventSource;firstTimestamp 6 t;lastTimestamp 7 t;count 8 i;type 9 s;eventTime 10 u;series 11 .EventSeries ?;action 12 s;related 13 .ObjectReference ?;reportingComponent 14 s !;reportingInstance 15 s !
        EventSeries;count 1 i r;lastObservedTime 2 u r
        +EventList;metadata 1 @ListMeta;items 2 *.Event ! r
        LimitRangeItem;type 1 sLimitType ! r;max 2 {q;min 3 {q;default 4 {q;defaultRequest 5 {q;maxLimitRequestRatio 6 {q
        LimitRangeSpec;limits 1 *.LimitRangeItem ! r A
        +LimitRange;metadata 1 @ObjectMeta;spec 2 .LimitRangeSpec
        +LimitRangeList;metadata 1 @ListMeta;items 2 *.LimitRange ! r
        ResourceQuotaSpec;hard 1 {q;scopes 2 *sResourceQuotaScope A;scopeSelector 3 .ScopeSelector ?
        ScopeSelector;matchExpressions 1 *.ScopedResourceSelectorRequirement A
        ScopedResourceSelectorRequirement;scopeName 1 sResourceQuotaScope ! r;operator 2 sScopeSelectorOperator ! r;values 3 *s A
        ResourceQuotaStatus;hard 1 {q;used 2 {q
        +ResourceQuota;metadata 1 @ObjectMeta;spec 2 .ResourceQuotaSpec;status 3 .ResourceQuotaStatus
        +ResourceQuotaList;metadata 1 @ListMeta;items 2 *.ResourceQuota ! r
        +Secret;metadata 1 @ObjectMeta;immutable 5 b ?;data 2 {y;stringData 4 {s;type 3 sSecretType
        +SecretList;metadata 1 @ListMeta;items 2 *.Secret ! r
        +ConfigMap;metadata 1 @ObjectMeta;immutable 4 b ?;data 2 {s;binaryData 3 {y
        +ConfigMapList;metadata 1 @ListMeta;items 2 *.ConfigMap ! r
        ComponentCondition;type 1 sComponentConditionType ! r;status 2 sConditionStatus ! r;message 3 s;error 4 s
        +ComponentStatus;metadata 1 @ObjectMeta;conditions 2 *.ComponentCondition K=type M=type
        +ComponentStatusList;metadata 1 @ListMeta;items 2 *.ComponentStatus ! r
        DownwardAPIVolumeSource;items 1 *.DownwardAPIVolumeFile A;defaultMode 2 i ?;defaultUser 3 l ?
        DownwardAPIVolumeFile;path 1 s ! r;fieldRef 2 .ObjectFieldSelector ?;resourceFieldRef 3 .ResourceFieldSelector ?;mode 4 i ?;user 5 l ?
        DownwardAPIProjection;items 1 *.DownwardAPIVolumeFile A
        SecurityContext;capabilities 1 .Capabilities ?;privileged 2 b ?;seLinuxOptions 3 .SELinuxOptions ?;windowsOptions 10 .WindowsSecurityContextOptions ?;runAsUser 4 l ?;runAsGroup 8 l ?;runAsNonRoot 5 b ?;readOnlyRootFilesystem 6 b ?;allowPrivilegeEscalation 7 b ?;procMount 9 sProcMountType ?;seccompProfile 11 .SeccompProfile ?;appArmorProfile 12 .AppArmorProfile ?
        SELinuxOptions;user 1 s;role 2 s;type 3 s;level 4 s
        WindowsSecurityContextOptions;gmsaCredentialSpecName 1 s ?;gmsaCredentialSpec 2 s ?;runAsUserName 3 s ?;hostProcess 4 b ?
        +RangeAllocation;metadata 1 @ObjectMeta;range 2 s ! r;data 3 y ! r
        Sysctl;name 1 s ! r;value 2 s ! r
        PortStatus;port 1 i ! r;protocol 2 sProtocol ! r;error 3 s ?
        ImageVolumeSource;reference 1 s;pullPolicy 2 sPullPolicy
        NodeAllocatableResourceClaimStatus;resourceClaimName 1 s ! r;containers 2 *s S;mapping 4 *.NodeAllocatableMappedResources K=name M=name;overhead 5 *.NodeAllocatableOverheadResources K=name M=name
        NodeAllocatableMappedResources;name 1 sResourceName ! r;quantity 2 q ? ! r
        NodeAllocatableOverheadResources;name 1 sResourceName ! r;perPod 2 q ?;perContainer 3 q ?
        """
}
