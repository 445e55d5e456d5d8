{{- /*
The native sidecar (`serve`), for the same list:

      initContainers:
        {{- include "credprobe.nativeSidecar" . | nindent 8 }}

No runAsUser: the kubelet sets owner and mode of the app's token file by the users of all containers.
*/ -}}
{{- define "credprobe.nativeSidecar" -}}
{{- $values := .Values.credprobe -}}
{{- /* generated: helm-native-sidecar */ -}}
- name: credprobe-serve
  # Not published: build it (image/README.md) and push it to a registry that your nodes pull from.
  image: {{ $values.image | quote }}
  args:
    - serve
    {{- range $values.nativeSidecar.args }}
    - {{ . | quote }}
    {{- end }}
    {{- with $values.workload }}
    - {{ printf "--workload=%s" (tpl . $) | quote }}
    {{- end }}
  restartPolicy: Always
  ports:
    - {name: credprobe, containerPort: 9809}
  # Passes as soon as credprobe listens, whatever the verdict: the app's containers do not wait for AWS.
  startupProbe:
    httpGet: {path: /livez, port: credprobe}
    periodSeconds: 1
    failureThreshold: 30
  livenessProbe:
    httpGet: {path: /livez, port: credprobe}
    periodSeconds: 30
    timeoutSeconds: 3
  readinessProbe:
    httpGet: {path: /readyz, port: credprobe}
    periodSeconds: 10
    timeoutSeconds: 3
  terminationMessagePolicy: FallbackToLogsOnError
  env:
    - {name: POD_NAME, valueFrom: {fieldRef: {fieldPath: metadata.name}}}
    - {name: POD_NAMESPACE, valueFrom: {fieldRef: {fieldPath: metadata.namespace}}}
    - {name: POD_UID, valueFrom: {fieldRef: {fieldPath: metadata.uid}}}
    - {name: NODE_NAME, valueFrom: {fieldRef: {fieldPath: spec.nodeName}}}
  # A pod of QoS class Guaranteed keeps that class only if these limits for cpu and memory equal the requests.
  # If `kubectl get quota,limitrange -n NAMESPACE` lists anything, set what it demands of each container.
  resources: {{- $values.resources | toYaml | nindent 4 }}
  # No runAsUser: the kubelet sets owner and mode of the app's token file by the users of all containers, so a user
  # for credprobe alone could change the file for the app. credprobe has the pod's user, else 65532 of its image.
  # If every container sets the same runAsUser itself, set it on the pod: one container without it changes the file.
  securityContext:
    {{- if $values.runAsNonRoot }}
    runAsNonRoot: true
    {{- end }}
    allowPrivilegeEscalation: false
    readOnlyRootFilesystem: true
    capabilities: {drop: ["ALL"]}
    seccompProfile: {type: RuntimeDefault}
{{- /* /generated */ -}}
{{- end -}}
