export type Manager = 'apt-get' | 'dpkg' | 'apk' | 'dnf' | 'brew';

export interface Machine {
  readonly managers: readonly Manager[];
  readonly mayInstall: boolean;
}

export type PackageNames = Readonly<Partial<Record<Manager, readonly string[]>>>;

export function probeMachine(): Promise<Machine>;

export function installPackage(machine: Machine, names: PackageNames): Promise<boolean>;
